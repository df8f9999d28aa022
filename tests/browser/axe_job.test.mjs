// axe-core on every tab of a job.
import {accessible, TABS} from './axe.mjs';

accessible(1440, TABS);
