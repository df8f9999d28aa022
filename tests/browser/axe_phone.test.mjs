// axe-core on every page, on a telephone.
import {accessible, PAGES} from './axe.mjs';

accessible(360, PAGES);
