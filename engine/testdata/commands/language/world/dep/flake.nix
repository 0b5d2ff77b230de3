{ inputs.lib2.url = "path:/tmp/terrarium-commands/lib2"; outputs = { self, lib2 }: { v = lib2.v + 1; }; }
