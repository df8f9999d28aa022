/* Every limit of the core in one place. An error that meets one names it. */
#ifndef OCK_BASE_LIMITS_H
#define OCK_BASE_LIMITS_H

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

static_assert(sizeof(size_t) == 8 && CHAR_BIT == 8, "sizes are computed in 64 bits");

#define OCK_KIB ((size_t)1 << 10)
#define OCK_MIB ((size_t)1 << 20)
#define OCK_GIB ((size_t)1 << 30)

/* JSON */
#define OCK_JSON_BYTES_MAX (64 * OCK_MIB)    /* one document */
#define OCK_JSON_DEPTH_MAX 32u               /* nested arrays and objects */
#define OCK_JSON_NODES_MAX ((size_t)4 << 20) /* values in one document */
#define OCK_FAULTS_MAX     64u               /* faults reported at once */

/* Data */
#define OCK_ROWS_MAX                ((size_t)UINT32_MAX - 1) /* rows of a dataset: indices are 32 bits */
#define OCK_COLUMNS_MAX             ((size_t)1 << 20)        /* columns of a dataset */
#define OCK_CLASSES_MAX             ((size_t)65536)          /* classes of a target */
#define OCK_NAME_BYTES_MAX          256u           /* a column's or class' name, with its NUL */
#define OCK_CSV_FIELD_BYTES_MAX     (64 * OCK_KIB) /* one field of a CSV */
#define OCK_SVMLIGHT_LINE_BYTES_MAX (32 * OCK_MIB)
#define OCK_CSV_ROW_BYTES_MAX       (32 * OCK_MIB) /* one row of a CSV: it is held as a whole */
#define OCK_MISSING_WORDS_MAX       64             /* words that stand for a missing value */
#define OCK_MISSING_BYTES_MAX       1024           /* of all of them, with a NUL each */
#define OCK_COLUMN_TYPES_MAX        4096           /* columns whose type a user gives */
#define OCK_IMPORT_THREADS_MAX      4              /* of one import */
/* Unpacked : packed, beyond the first OCK_UNPACKED_FREE_BYTES. gzip's most is 1032, zstd has none. */
#define OCK_UNPACKED_RATIO_MAX     ((size_t)500)
#define OCK_UNPACKED_FREE_BYTES    (64 * OCK_MIB)
#define OCK_DATASET_BYTES_MAX      (256 * OCK_GIB)
#define OCK_CATEGORY_VALUES_MAX    ((size_t)100) /* of a column that have a feature of their own */
#define OCK_CATEGORY_ROWS_MIN      ((size_t)10)  /* that a value needs for one, in large data */
#define OCK_CATEGORY_BYTES_MAX     (4 * OCK_MIB) /* such values with their features' names */
#define OCK_CACHE_BYTES_MAX        (64 * OCK_MIB) /* encoded rows that a batch source keeps as floats */
#define OCK_SUMMARY_COLUMNS_MAX    ((size_t)1000) /* columns that are described at once */
#define OCK_SUMMARY_PAGE_BYTES_MAX (24 * OCK_MIB) /* of their description */

/* Models and jobs */
#define OCK_LAYERS_MAX         256u              /* layers of a network, all types counted */
#define OCK_UNITS_MAX          ((size_t)1 << 20) /* units of a layer */
#define OCK_PARAMETERS_MAX     ((size_t)1 << 31)
#define OCK_EPOCHS_MAX         100000000u
#define OCK_BATCH_ROWS_MAX     ((size_t)1 << 24)
#define OCK_THREADS_MAX        1024u
#define OCK_SHARDS_MAX         1024u
#define OCK_TRIALS_MAX         1000u /* strengths of one search */
#define OCK_FOLDS_MAX          100u  /* of one search */
#define OCK_LABELS_MAX         32u
#define OCK_JOB_NAME_BYTES_MAX 200u
#define OCK_EVENT_BYTES_MAX    (64 * OCK_KIB) /* one event line */
#define OCK_DOCUMENT_BYTES_MAX (8 * OCK_MIB)  /* what a job tells at its end, one document */

/* A prediction over HTTP */
#define OCK_PREDICT_ROWS_MAX   ((size_t)1000000)
#define OCK_PREDICT_VALUES_MAX ((size_t)64 << 20) /* rows times columns: 8 bytes each on the disk */
#define OCK_PREDICT_BYTES_MAX  OCK_GIB            /* of its answer */
#define OCK_PREDICT_S_MAX      60                 /* seconds */

#define OCK_PRUNINGS_MAX 2 /* large models that are pruned at once, for downloads */

#endif
