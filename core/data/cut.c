/* Splits and folds as parts. */
#include "core/data/cut.h"

#include "core/data/data.h"
#include "core/data/folds.h"
#include "core/data/split.h"

static enum ock_status cut_fold(const struct ock_spec *spec, const struct ock_cut_rows *of, int cut,
                                unsigned char *part, struct ock_err *err)
{
    struct ock_folds folds = ock_folds_of(spec, of->rows, of->labels, of->classes, of->test_given);
    enum ock_status status = ock_folds_make(&folds, part, err);
    for (size_t row = 0; row < of->rows && status == OCK_OK; row++)
        part[row] = part[row] == OCK_FOLD_NONE ? OCK_PARTS
                    : part[row] == cut         ? OCK_PART_VALIDATION
                                               : OCK_PART_TRAIN;
    return status;
}

enum ock_status ock_cut_make(const struct ock_spec *spec, const struct ock_cut_rows *of, int cut,
                             unsigned char *part, struct ock_err *err)
{
    size_t counts[OCK_PARTS];
    if (cut >= 0)
        return cut_fold(spec, of, cut, part, err);
    struct ock_split split =
        ock_split_of(&spec->data, of->rows, of->labels, of->classes,
                     of->validation_given || cut == OCK_CUT_ALL, of->test_given);
    return ock_split_make(&split, part, counts, err);
}
