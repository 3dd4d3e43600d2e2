// The login page: nobody is logged in in this browser, so it keeps nothing of anybody.

import { forgetEverybody } from "./memory.js";

forgetEverybody();
