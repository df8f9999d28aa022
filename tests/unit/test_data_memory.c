/* Every allocation of an import and of a job's data fails in turn: the status says so, nothing is
 * left behind (the leak sanitizer watches), and the same work succeeds afterwards. */
#include "tests/unit/alloc_fail.h"
#include "tests/unit/data_kit.h"

#include "core/base/json.h"
#include "core/data/data.h"

static const char table[] = "a,b,w,kind\n1,x,1,red\n2,\"y, z\",2,blue\n3,,1,red\n4,x,1,blue\n"
                            "5,u,1,red\n6,v,1,blue\n7,t,1,red\n8,s,1,blue\n";

/* Runs work() with its n-th allocation failing, for n = 0, 1, … until none is left to fail. */
static void fail_each(enum ock_status (*work)(void), long allocations_min)
{
    long n = 0;
    for (;; n++) {
        alloc_fail_after(n);
        enum ock_status status = work();
        if (!alloc_fail_stop()) {
            ck_assert_int_eq(status, OCK_OK);
            break;
        }
        /* qsort does without its room, so a failed allocation need not be an error. */
        ck_assert_msg(status == OCK_NOMEM || status == OCK_OK, "allocation %ld: %s", n,
                      ock_status_name(status));
        ck_assert_int_ne(access(kit_path("out.tmp"), F_OK), 0);
        if (status == OCK_NOMEM)
            ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
        (void)unlink(kit_path("out"));
    }
    if (ALLOC_CAN_FAIL) /* else the work is done once, for what else may be found in it */
        ck_assert_int_ge(n, allocations_min);
}

static enum ock_status import_table(void)
{
    struct ock_import import = {.source = kit_path("in"), .out = kit_path("out")};
    return ock_import_run(&import, NULL);
}

START_TEST(importing_a_table_survives)
{
    kit_write_gzip("in", table, strlen(table));
    fail_each(import_table, 20);
}
END_TEST

static enum ock_status import_arrays(void)
{
    struct ock_import import = {
        .source = kit_path("in"), .labels = kit_path("labels"), .out = kit_path("out")};
    return ock_import_run(&import, NULL);
}

START_TEST(importing_arrays_survives)
{
    kit_write("in", "\0\0\x0b\2\0\0\0\2\0\0\0\2\0\1\0\2\0\3\0\4", 20);
    kit_write("labels", "\0\0\x08\1\0\0\0\2ab", 10);
    fail_each(import_arrays, 15);
}
END_TEST

static cJSON *arrays;

static enum ock_status import_inline(void)
{
    static struct ock_faults faults;
    faults.count = 0;
    return ock_import_inline(arrays, "", kit_path("out"), &faults, NULL);
}

START_TEST(importing_inline_data_survives)
{
    arrays = cJSON_Parse("{\"x\": [[1, 2], [3, 4], [5, 6]], \"y\": [\"b\", \"a\", \"b\"]}");
    ck_assert_ptr_nonnull(arrays);
    fail_each(import_inline, 8);
    cJSON_Delete(arrays);
}
END_TEST

static enum ock_status open_dataset(void)
{
    struct ock_dataset *dataset = NULL;
    enum ock_status status = ock_dataset_open(&dataset, kit_path("other"), NULL);
    bool untouched = (dataset == NULL) == (status != OCK_OK);
    ock_dataset_free(dataset);
    return untouched ? status : OCK_CONFLICT; /* check's own macros allocate */
}

START_TEST(opening_a_dataset_survives)
{
    ock_dataset_free(kit_csv_as("other", table, (struct ock_import){0}));
    fail_each(open_dataset, 2);
}
END_TEST

static struct ock_dataset *dataset_of_job;
static bool job_has_classes;

static enum ock_status open_job(void)
{
    char a[] = "a", kind[] = "kind", weights[] = "w";
    char *features[] = {a};
    struct ock_spec spec = {.loss = job_has_classes ? OCK_CROSS_ENTROPY : OCK_MSE};
    spec.data.features = features;
    spec.data.feature_count = 1;
    spec.data.target = job_has_classes ? kind : weights;
    spec.data.weights = job_has_classes ? weights : NULL;
    spec.data.target_type = job_has_classes ? OCK_TARGET_TYPE_CLASSES : OCK_TARGET_TYPE_NUMBER;
    spec.data.stratify = job_has_classes;
    spec.data.validation.fraction = 0.25;
    spec.data.class_weight = job_has_classes ? OCK_CLASS_WEIGHT_BALANCED : OCK_CLASS_WEIGHT_NONE;
    struct ock_data *data = NULL;
    enum ock_status status =
        ock_data_open(&data, &spec, dataset_of_job, NULL, dataset_of_job, NULL);
    bool untouched = (data == NULL) == (status != OCK_OK);
    ock_data_free(data);
    if (status != OCK_OK)
        return untouched ? status : OCK_CONFLICT;
    struct ock_data_sizes sizes;
    return ock_data_measure(&sizes, &spec, dataset_of_job, NULL, NULL, NULL);
}

START_TEST(opening_a_jobs_data_survives)
{
    dataset_of_job = kit_csv_as("other", table, (struct ock_import){0});
    job_has_classes = _i == 0;
    fail_each(open_job, 15);
    ock_dataset_free(dataset_of_job);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, importing_a_table_survives);
    tcase_add_test(tcase, importing_arrays_survives);
    tcase_add_test(tcase, importing_inline_data_survives);
    tcase_add_test(tcase, opening_a_dataset_survives);
    tcase_add_loop_test(tcase, opening_a_jobs_data_survives, 0, 2);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
