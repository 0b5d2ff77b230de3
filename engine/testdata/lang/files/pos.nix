let
  a = 1;
  as = { inherit a; inherit (builtins) map; b = 2; c.d = 3; "e f" = 4; ${"g"} = 5; };
in
{
  inherit as;
  cur = __curPos;
  f = { x, y ? 1 }: x + y;
  fail = (x: x.y.z) { y = { }; };
  rec1 = rec { p = q; q = r; r = p; };
  thrown = throw "from pos.nix";
  nested.deep.thrown = builtins.head (map (x: throw x) [ "inside" ]);
}
