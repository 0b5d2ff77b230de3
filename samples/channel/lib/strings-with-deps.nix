# Pieces of a script with dependencies between them, put in order: how activation scripts are joined.
{ lib }:
rec {
  # A piece that needs the named pieces before it.
  fullDepEntry = text: deps: { inherit text deps; };
  noDepEntry = text: fullDepEntry text [ ];
  packEntry = deps: fullDepEntry "" deps;
  stringAfter = deps: text: { inherit text deps; };

  # Texts of the wanted pieces and all they need, every one once and after what it needs. A cycle is an error.
  textClosureList =
    pieces: wanted:
    let
      visit =
        stack: state: name:
        if lib.isAttrs name then
          state // { texts = state.texts ++ [ name.text ]; }
        else if state.done ? ${name} then
          state
        else if lib.elem name stack then
          throw "pieces depend on each other in a circle: ${lib.concatStringsSep " -> " (stack ++ [ name ])}"
        else
          let
            piece = pieces.${name} or (throw "there is no piece called `${name}'");
            after = lib.foldl' (visit (stack ++ [ name ])) state piece.deps;
          in
          {
            texts = after.texts ++ [ piece.text ];
            done = after.done // {
              ${name} = true;
            };
          };
    in
    (lib.foldl' (visit [ ]) {
      texts = [ ];
      done = { };
    } wanted).texts;
  textClosureMap =
    f: pieces: wanted:
    lib.concatStringsSep "\n" (map f (textClosureList pieces wanted));
}
