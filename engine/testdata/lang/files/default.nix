{ x = 1; y = __curPos; f = a: a; }
