/* Numbers for people, and where they stand in an event. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/cli.h"
#include "core/base/json.h"

void cli_format_loss(char text[CLI_NUMBER_SIZE], double value)
{
    double size = fabs(value);
    if (isnan(value))
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
    else if (size == 0.0)
        (void)snprintf(text, CLI_NUMBER_SIZE, "0");
    else if (size >= 1e5 || size < 1e-3)
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.2e", value);
    else if (size >= 100)
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.2f", value);
    else
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.4f", value);
}

void cli_format_share(char text[CLI_NUMBER_SIZE], double value)
{
    if (isnan(value))
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
    else
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.2f%%", 100 * value);
}

void cli_format_count(char text[CLI_NUMBER_SIZE], double value)
{
    char digits[CLI_NUMBER_SIZE];
    if (!(value >= 0 && value < 1e15)) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
        return;
    }
    int length = snprintf(digits, sizeof(digits), "%.0f", value);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

void cli_format_rate(char text[CLI_NUMBER_SIZE], double value)
{
    static const char units[] = " kMGT";
    size_t unit = 0;
    if (!(value >= 0 && value < 1e15)) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
        return;
    }
    while (value >= 999.5 && unit + 2 < sizeof(units)) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.0f", value);
    else
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.*f%c", value < 9.95 ? 1 : 0, value, units[unit]);
}

void cli_format_bytes(char text[CLI_NUMBER_SIZE], double value)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    if (!(value >= 0)) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
        return;
    }
    while (value >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(text, CLI_NUMBER_SIZE, "%.*f %s", unit > 0 && value < 9.95 ? 1 : 0, value,
                   units[unit]);
}

void cli_format_time(char text[CLI_NUMBER_SIZE], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e12)) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
    } else if (seconds < 0.0995) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.*f ms", seconds < 0.00995 ? 1 : 0, 1000 * seconds);
    } else if (seconds < 59.95) {
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.*f s", seconds < 9.995 ? 2 : 1, seconds);
    } else {
        long long whole = llround(seconds);
        if (whole < 3600)
            (void)snprintf(text, CLI_NUMBER_SIZE, "%lld min %lld s", whole / 60, whole % 60);
        else
            (void)snprintf(text, CLI_NUMBER_SIZE, "%lld h %lld min", whole / 3600,
                           whole % 3600 / 60);
    }
}

const cJSON *cli_at(const cJSON *object, const char *path)
{
    char key[64];
    while (object) {
        const char *dot = strchr(path, '.');
        size_t length = dot ? (size_t)(dot - path) : strlen(path);
        if (length >= sizeof(key))
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        object = ock_json_get(object, key);
        if (!dot)
            break;
        path = dot + 1;
    }
    return object;
}

double cli_number_at(const cJSON *object, const char *path)
{
    const cJSON *value = cli_at(object, path);
    return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
}

const char *cli_text_at(const cJSON *object, const char *path)
{
    const cJSON *value = cli_at(object, path);
    return cJSON_IsString(value) ? value->valuestring : NULL;
}
