/* ULIDs. Within a millisecond the last random part grows by one, so that order is kept; a clock
 * that steps back does not make an id smaller than the one before. */
#include "server/ids.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { TEXT_LENGTH = 26, RANDOM_BYTES = 10 };

/* last_ms and last_random → mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms = -1;
static uint8_t last_random[RANDOM_BYTES];

int64_t ock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void ock_time_text(char text[OCK_TIME_TEXT_SIZE], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    char stem[24];
    if (strftime(stem, sizeof(stem), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        stem[0] = '\0';
    (void)snprintf(text, OCK_TIME_TEXT_SIZE, "%s.%03dZ", stem, (int)(ms % 1000));
}

/* Random bytes from the kernel; where it gives none, the clock still keeps ids apart in time. */
static void refill(void)
{
    if (getrandom(last_random, sizeof(last_random), 0) != (ssize_t)sizeof(last_random)) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        memcpy(last_random, &now.tv_nsec, sizeof(now.tv_nsec));
    }
    last_random[0] &= 0x7f; /* room to count up within the millisecond */
}

static void next(uint8_t bytes[16])
{
    int64_t now = ock_now_ms();
    pthread_mutex_lock(&mutex);
    if (now > last_ms) {
        last_ms = now;
        refill();
    } else {
        for (int i = RANDOM_BYTES - 1; i >= 0; i--) {
            last_random[i]++;
            if (last_random[i] != 0)
                break;
        }
    }
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)((uint64_t)last_ms >> (40 - 8 * i));
    memcpy(bytes + 6, last_random, RANDOM_BYTES);
    pthread_mutex_unlock(&mutex);
}

void ock_id_make(char id[OCK_ID_SIZE], const char *prefix)
{
    uint8_t bytes[16];
    next(bytes);
    int stem = snprintf(id, OCK_ID_SIZE, "%s", prefix);
    /* 130 bits for 128: the first character holds three. */
    for (int i = 0; i < TEXT_LENGTH; i++) {
        int bit = 5 * i - 2;
        unsigned value = 0;
        for (int b = bit; b < bit + 5; b++)
            value = value << 1 | (b < 0 ? 0u : (unsigned)(bytes[b / 8] >> (7 - b % 8)) & 1u);
        id[stem + i] = alphabet[value];
    }
    id[stem + TEXT_LENGTH] = '\0';
}

bool ock_id_valid(const char *text, const char *prefix)
{
    size_t stem = strlen(prefix);
    if (strncmp(text, prefix, stem) != 0 || strlen(text) != stem + TEXT_LENGTH)
        return false;
    return strspn(text + stem, alphabet) == TEXT_LENGTH;
}
