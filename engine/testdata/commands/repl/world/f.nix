{ a = 1; b = { c = 2; }; f = x: x; d = derivation { name = "d"; builder = "x"; system = "i686-linux"; }; }
