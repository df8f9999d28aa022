/* Goal: the learning rate that is found lets a network learn, and heeds the penalty.
 *
 * Method: default jobs on small data, for several seeds and optimizers; the training loss they must
 * get below is far under a constant's and well above a tuned run's. */
#include "tests/unit/job_kit.h"

struct place {
    char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE];
};

static void place_make(struct place *place, const char *table, const char *target)
{
    kit_directory(place->directory);
    kit_path(place->data, place->directory, "data.ockds");
    if (table)
        kit_import(table, target, place->data);
}

/* lambda 20: from lr 0.025 on decay alone would flip signs; auto stays well below. */
START_TEST(auto_heeds_a_strong_penalty)
{
    struct place place;
    place_make(&place, "digits.csv.gz", "64");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{},\"regularization\":{\"l2\":20},\"train\":{\"epochs\":3}}");
    const cJSON *log = kit_event(&kit, "log", 0);
    ck_assert_double_le(kit_number(log, "lr"), 0.025 / 4);
    ck_assert_ptr_nonnull(strstr(kit_text(log, "message"), "penalty"));
    ck_assert_str_eq(kit_text(kit_event(&kit, "warning", 0), "code"), "strong_decay");
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* On few rows a rate may win by chance, with momentum one that is too large may look good at first:
 * every seed has to learn. */
START_TEST(auto_learns_whatever_the_seed)
{
    static const struct {
        const char *table, *target, *optimizer;
        double loss_max; /* train.data_loss; a constant has .687 and 2.30 */
    } cases[] = {
        {"heart_scale.csv", "label", "{}", .55},
        {"heart_scale.csv", "label", "{\"momentum\":0.9}", .55},
        {"heart_scale.csv", "label", "{\"name\":\"adam\"}", .55},
        {"digits.csv.gz", "64", "{\"momentum\":0.9}", .2},
        {"digits.csv.gz", "64", "{\"name\":\"adamw\"}", .2},
    };
    struct place place;
    place_make(&place, cases[_i].table, cases[_i].target);
    for (int seed = 0; seed < 5; seed++) {
        char text[512];
        struct kit kit = {.train = place.data, .threads = 1};
        (void)snprintf(text, sizeof(text),
                       "{\"data\":{},\"model\":{\"hidden\":[16]},\"optimizer\":%s,"
                       "\"train\":{\"seed\":%d}}",
                       cases[_i].optimizer, seed);
        kit_run(&kit, text);
        double loss = kit_number(kit_event(&kit, "epoch", -1), "train.data_loss");
        ck_assert_msg(loss < cases[_i].loss_max, "seed %d: rate %g, loss %g", seed,
                      kit_number(kit_event(&kit, "log", 0), "lr"), loss);
        kit_free(&kit);
    }
    kit_remove(place.directory);
}
END_TEST

static double rate_of(const char *data, const char *optimizer, struct kit *kit)
{
    char text[256];
    *kit = (struct kit){.train = data, .threads = 1};
    (void)snprintf(text, sizeof(text), "{\"data\":{},\"optimizer\":{%s}}", optimizer);
    kit_run(kit, text);
    return kit_number(kit_event(kit, "log", 0), "lr");
}

/* docs/learning-rate.md: with a cosine and a warm-up sgd takes three times the rate, up to 0.8, and adam
 * twice, up to 0.02; what is beyond that without them stays. Rates are told with two digits. */
START_TEST(a_cosine_begins_with_more)
{
    static const struct {
        const char *table, *target, *optimizer;
        double times, most;
    } cases[] = {
        {"heart_scale.csv", "label", "\"momentum\":0", 3, 0.8},
        {"heart_scale.csv", "label", "\"momentum\":0.9", 3, 0.08},
        {"heart_scale.csv", "label", "\"name\":\"adam\"", 2, 0.02},
        {"digits.csv.gz", "64", "\"momentum\":0", 3, 0.8},
        {"digits.csv.gz", "64", "\"name\":\"adamw\"", 2, 0.02},
    };
    char constant_text[128];
    struct place place;
    struct kit constant, cosine;
    place_make(&place, cases[_i].table, cases[_i].target);
    (void)snprintf(constant_text, sizeof(constant_text), "%s,\"schedule\":\"constant\"",
                   cases[_i].optimizer);
    double rate = rate_of(place.data, constant_text, &constant);
    double more = rate_of(place.data, cases[_i].optimizer, &cosine);
    double wanted = fmin(cases[_i].times * rate, fmax(rate, cases[_i].most));
    ck_assert_msg(fabs(more / wanted - 1) < 0.1, "%g becomes %g, not %g", rate, more, wanted);
    ck_assert_double_gt(kit_number(kit_event(&cosine, "epoch", 0), "lr"), 0.9 * more);
    ck_assert_double_lt(kit_number(kit_event(&cosine, "epoch", -1), "lr"), 0.001 * more);
    ck_assert_double_eq(kit_number(kit_event(&constant, "epoch", -1), "lr"), rate);
    kit_free(&constant);
    kit_free(&cosine);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("learning rate");
    TCase *all = tcase_create("learning rate");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, auto_heeds_a_strong_penalty);
    tcase_add_loop_test(all, auto_learns_whatever_the_seed, 0, 5);
    tcase_add_loop_test(all, a_cosine_begins_with_more, 0, 5);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
