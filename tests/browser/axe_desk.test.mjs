// axe-core on every page, on a desk.
import {accessible, PAGES} from './axe.mjs';

accessible(1440, PAGES);
