{ z = import ./undef.nix; w = throw "a"; }
