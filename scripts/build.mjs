// `npm run build`: the page and dist/terrarium.mjs.
import { build, ensurePackages } from "./ensure.mjs";

ensurePackages();
build();
