// Fields that deserve more care than the schema asks for, by their place in the spec.
import type {ComponentType} from 'preact';
import {DatasetField, FeaturesField, OtherDatasetField, ShareField, TargetField} from './data';
import type {ControlProps} from './frame';
import {Hidden} from './hidden';
import {RangeField} from './range';
import {Schedule} from './schedule';
import {Strength} from './strength';

export const SPECIAL: Record<string, ComponentType<ControlProps>> = {
    '/data/dataset': DatasetField,
    '/data/validation': ShareField,
    '/data/test': ShareField,
    '/data/validation/dataset': OtherDatasetField,
    '/data/test/dataset': OtherDatasetField,
    '/data/target': TargetField,
    '/data/weights': TargetField,
    '/data/features': FeaturesField,
    '/model/hidden': Hidden,
    '/regularization/l1': Strength,
    '/regularization/l2': Strength,
    '/optimizer/schedule': Schedule,
    '/tune/l1': RangeField,
    '/tune/l2': RangeField,
    '/tune/weight_decay': RangeField,
    '/tune/dropout': RangeField,
};
