{ outputs = { self }: { x = 1; packages.i686-linux.default = derivation { name = "d"; builder = "x"; system = "i686-linux"; }; }; }
