{ x = 1; y = ./dir; }
