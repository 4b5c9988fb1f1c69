import { configureGlobal } from "fast-check";
import { seedOfDraws } from "./crash/draws.ts";

configureGlobal({ seed: seedOfDraws() });
