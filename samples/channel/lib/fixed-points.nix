# Sets that refer to themselves, and layers over them (overlays). Independent of the rest of the library.
{ ... }:
rec {
  # The least fixed point: the value the function gives when it is given that very value.
  fix =
    f:
    let
      x = f x;
    in
    x;
  # As `fix`, but remembers the function under `__unfix__` so that the set can be extended later.
  fix' =
    f:
    let
      x = f x // {
        __unfix__ = f;
      };
    in
    x;
  # Applies a function until nothing changes any more.
  converge =
    f: x:
    let
      next = f x;
    in
    if next == x then x else converge f next;

  # Puts one overlay (`final: prev: changes`) on top of a self-referring set.
  extends =
    overlay: f: final:
    let
      prev = f final;
    in
    prev // overlay final prev;
  # Two overlays as one; the second sees what the first made.
  composeExtensions =
    first: second: final: prev:
    let
      one = first final prev;
    in
    one // second final (prev // one);
  composeManyExtensions = builtins.foldl' composeExtensions (_: _: { });

  # A set with `extend`, which gives the same set with one more overlay.
  makeExtensible = makeExtensibleWithCustomName "extend";
  makeExtensibleWithCustomName =
    name: f:
    fix' (
      self:
      f self
      // {
        ${name} = overlay: makeExtensibleWithCustomName name (extends overlay f);
      }
    );

  # An overlay may be a plain set, a function of prev, or a function of final and prev.
  toExtension =
    f:
    if builtins.isFunction f || f ? __functor then
      final: prev:
      let
        once = f prev;
      in
      if builtins.isFunction once || once ? __functor then f final prev else once
    else
      _: _: f;
}
