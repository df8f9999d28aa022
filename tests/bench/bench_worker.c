/* A worker that does not train: it tells an epoch at a set pace, so that a measurement of the server
 * is one of the server alone. `ockham serve --worker bench_worker` runs it (protocol.h).
 *
 * Environment: OCK_BENCH_GO (a file: it begins when that is there), OCK_BENCH_EPOCHS,
 * OCK_BENCH_EPOCH_MS, and OCK_BENCH_IMPORT (the worker that prepares uploads). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static long setting(const char *name, long fallback)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : fallback;
}

/* As long as a real one: 850 bytes. */
static void tell_epoch(long number, long epochs)
{
    char filler[512];
    memset(filler, '7', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    (void)printf("%ld epoch epoch:%ld {\"epoch\":%ld,\"epochs\":%ld,\"step\":%ld,"
                 "\"train\":{\"data_loss\":0.391,\"accuracy\":0.912,\"running_loss\":0.420},"
                 "\"lr\":0.1,\"eta_s\":4.5,\"filler\":\"%s\","
                 "\"weights_sha256\":\"%064ld\"}\n",
                 number, number, number, epochs, number, filler, number);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    long epochs = setting("OCK_BENCH_EPOCHS", 20), pace_ms = setting("OCK_BENCH_EPOCH_MS", 1000);
    const char *go = getenv("OCK_BENCH_GO"), *import = getenv("OCK_BENCH_IMPORT");
    if (argc > 1 && strcmp(argv[1], "train") != 0) {
        (void)execv(import ? import : "", argv);
        return 1;
    }
    while (go && access(go, F_OK) != 0)
        sleep_ms(10);
    for (long i = 1; i <= epochs; i++) {
        sleep_ms(pace_ms);
        tell_epoch(i, epochs);
    }
    sleep_ms(pace_ms);
    (void)printf("%ld end end {\"status\":\"succeeded\",\"stop_reason\":\"epochs\",\"best\":null,"
                 "\"latest\":null,\"error\":null,\"model\":null}\n",
                 epochs + 1);
    return fflush(stdout) == 0 ? 0 : 1;
}
