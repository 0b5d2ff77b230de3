{ outputs = { self }: { templates.default = { path = ./t; description = "A template"; welcomeText = "Hello *there*"; }; templates.t2 = { path = ./t; description = "x"; }; }; }
