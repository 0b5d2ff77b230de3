a: derivation ({ name = "x"; builder = "b"; system = "s"; } // a)
