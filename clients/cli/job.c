/* From a job file and data files to a resolved spec. The order of checks is the order in which a
 * person would mend things: the JSON, the spec, the files, what the data make of the spec. */
#include "clients/cli/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/data/import.h"
#include "server/worker_process.h"

static const char *const part_names[CLI_PARTS] = {"train", "validation", "test"};

void cli_job_init(struct cli_job *job)
{
    memset(job, 0, sizeof(*job));
    job->program_fd = -1;
}

void cli_job_deinit(struct cli_job *job)
{
    cJSON_Delete(job->json);
    ock_spec_free(job->spec);
    for (size_t i = 0; i < CLI_PARTS; i++)
        ock_dataset_free(job->datasets[i]);
    if (job->program_fd >= 0)
        (void)close(job->program_fd);
    cli_workdir_remove(&job->dir);
    cli_job_init(job);
}

/* --- Reading the spec ------------------------------------------------------------------------- */

static enum ock_status read_stdin(struct ock_buf *out, struct ock_err *err)
{
    char bytes[16 << 10];
    size_t got = fread(bytes, 1, sizeof(bytes), stdin);
    while (got > 0) {
        ock_buf_add(out, bytes, got);
        got = fread(bytes, 1, sizeof(bytes), stdin);
    }
    if (ferror(stdin))
        return ock_fail_errno(err, errno, "cannot read standard input");
    return ock_buf_status(out, err);
}

enum cli_exit cli_spec_read(const char *path, char **text, cJSON **json, struct ock_faults *faults)
{
    struct ock_buf buf;
    struct ock_err err = {0};
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    ock_buf_init(&buf, OCK_JSON_BYTES_MAX);
    enum ock_status status =
        strcmp(path, "-") == 0 ? read_stdin(&buf, &err) : ock_file_read(path, &buf, &err);
    if (status != OCK_OK) {
        cli_say("%s", err.text);
        ock_buf_deinit(&buf);
        return CLI_USAGE;
    }
    status = ock_json_parse(json, buf.size > 0 ? buf.data : "", buf.size, faults, &err);
    if (status != OCK_OK)
        cli_say("%s is not JSON: %s", name, err.text);
    else
        *text = ock_buf_take(&buf);
    ock_buf_deinit(&buf);
    return status == OCK_OK ? CLI_DONE : CLI_USAGE;
}

/* The member `data`, made if the spec has none. NULL: out of memory, or it is no object, which the
 * spec's own check will say. */
static cJSON *data_object(cJSON *json)
{
    if (!cJSON_IsObject(json))
        return NULL;
    cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    if (!data)
        data = cJSON_AddObjectToObject(json, "data");
    return cJSON_IsObject(data) ? data : NULL;
}

/* Sets object[key] to the item, which is taken. */
static bool set_member(cJSON *object, const char *key, cJSON *item)
{
    if (!item)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (cJSON_AddItemToObject(object, key, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* {"dataset": the file's name}: what the command line's files are in the spec. */
static bool set_part(cJSON *data, const char *key, const char *files)
{
    const char *slash = strrchr(files, '/');
    cJSON *part = cJSON_CreateObject();
    if (part && !cJSON_AddStringToObject(part, "dataset", slash ? slash + 1 : files)) {
        cJSON_Delete(part);
        part = NULL;
    }
    return set_member(data, key, part);
}

/* The command line's say in the spec. */
static bool apply_files(cJSON *json, const struct cli_files *files)
{
    if (!cJSON_IsObject(json))
        return true;
    cJSON *data = data_object(json);
    if (!data)
        return cJSON_GetObjectItemCaseSensitive(json, "data") != NULL;
    bool good = true;
    if (files->validation)
        good = good && set_part(data, "validation", files->validation);
    if (files->test)
        good = good && set_part(data, "test", files->test);
    if (files->target)
        good = good && set_member(data, "target", cJSON_CreateString(files->target));
    return good;
}

static enum cli_exit out_of_memory(void)
{
    cli_say("no memory");
    return CLI_FAILED;
}

/* Parses job->json into job->spec; prints all faults, those of the JSON itself among them. */
static enum cli_exit parse_spec(struct cli_job *job, const char *name, bool need_dataset,
                                struct ock_faults *faults)
{
    struct ock_err err = {0};
    ock_spec_free(job->spec);
    job->spec = NULL;
    enum ock_status status = ock_spec_parse(&job->spec, job->json, need_dataset, faults, &err);
    if (faults->count > 0) {
        cli_say_faults(name, faults);
        return CLI_USAGE;
    }
    if (status != OCK_OK) {
        cli_say("%s: %s", name, err.text);
        return status == OCK_NOMEM ? CLI_FAILED : CLI_USAGE;
    }
    return CLI_DONE;
}

/* What a spec may name on a server only needs a file here. */
static enum cli_exit check_names(const struct ock_spec *spec, const struct cli_files *files,
                                 bool data_needed, const char *name, struct ock_faults *faults)
{
    const struct ock_data_spec *data = &spec->data;
    if (files->train && data->has_inline)
        ock_faults_add(faults, "/data/inline", "unsupported_combination",
                       "inline data and --data exclude each other: leave one of them out");
    if (!files->train && !data->has_inline && data_needed)
        ock_faults_add(faults, "/data", "missing_key",
                       "no data: --data FILE names the file, or put arrays into data.inline");
    if (!data_needed && !files->train && !data->has_inline)
        return CLI_DONE; /* nothing to look at the data with: names stay names */
    if (!files->validation && data->validation.dataset)
        ock_faults_add(faults, "/data/validation", "missing_key",
                       "names a dataset of a server: --validation-data FILE names the file here");
    if (!files->test && data->test.dataset)
        ock_faults_add(faults, "/data/test", "missing_key",
                       "names a dataset of a server: --test-data FILE names the file here");
    if (!files->init && spec->init.job)
        ock_faults_add(faults, "/model/init", "missing_key",
                       "names a job of a server: --init FILE names its model's file here");
    if (faults->count == 0)
        return CLI_DONE;
    cli_say_faults(name, faults);
    return CLI_USAGE;
}

/* --- The data --------------------------------------------------------------------------------- */

static enum cli_exit import_inline(struct cli_job *job, const char *name, struct ock_faults *faults)
{
    cJSON *data = data_object(job->json);
    struct ock_err err = {0};
    enum ock_status status = ock_import_inline(ock_json_get(data, "inline"), "/data/inline",
                                               job->paths[CLI_TRAIN], faults, &err);
    if (faults->count > 0)
        cli_say_faults(name, faults);
    else if (status != OCK_OK)
        cli_say("%s: /data/inline: %s", name, err.text);
    /* The worker reads the dataset file; the arrays would only be copied once more. */
    cJSON_DeleteItemFromObjectCaseSensitive(data, "inline");
    if (status == OCK_OK)
        return CLI_DONE;
    return status == OCK_INVALID || status == OCK_LIMIT ? CLI_USAGE : CLI_FAILED;
}

static enum cli_exit open_dataset(struct cli_job *job, enum cli_part part)
{
    struct ock_err err = {0};
    if (ock_dataset_open(&job->datasets[part], job->paths[part], &err) == OCK_OK)
        return CLI_DONE;
    cli_say("%s", err.text);
    return CLI_FAILED;
}

static enum cli_exit import_all(struct cli_job *job, const char *name,
                                const struct cli_files *files, struct cli_signals *signals,
                                struct ock_faults *faults)
{
    const char *const sources[CLI_PARTS] = {files->train, files->validation, files->test};
    for (size_t i = 0; i < CLI_PARTS; i++) {
        bool is_inline = i == CLI_TRAIN && !sources[i];
        char file[32];
        if (!sources[i] && !is_inline)
            continue;
        (void)snprintf(file, sizeof(file), "%s.ockds", part_names[i]);
        cli_workdir_path(&job->dir, file, job->paths[i]);
        enum cli_exit code = is_inline
                                 ? import_inline(job, name, faults)
                                 : cli_import(job, sources[i], &files->csv, job->paths[i], signals);
        if (code == CLI_DONE)
            code = open_dataset(job, (enum cli_part)i);
        if (code != CLI_DONE)
            return code;
    }
    return CLI_DONE;
}

/* --target: a column's name, else its position from 0, negative from the end. SIZE_MAX: neither. */
static size_t find_target(const struct ock_schema *schema, const char *target)
{
    size_t column = ock_schema_column(schema, target);
    if (column != SIZE_MAX)
        return column;
    char *end = NULL;
    errno = 0;
    long long position = strtoll(target, &end, 10);
    if (errno || end == target || *end)
        return SIZE_MAX;
    long long count = (long long)schema->column_count;
    if (position < 0)
        position += count;
    return position >= 0 && position < count ? (size_t)position : SIZE_MAX;
}

static void say_unknown_target(const struct ock_schema *schema, const char *target)
{
    const char **names = calloc(schema->column_count, sizeof(*names));
    for (size_t i = 0; names && i < schema->column_count; i++)
        names[i] = schema->columns[i].name;
    const char *near = names ? ock_nearest_word(target, names, schema->column_count) : NULL;
    if (near)
        cli_say("--target %s: no such column; did you mean \"%s\"?", target, near);
    else
        cli_say("--target %s: no such column; the data have %zu columns, from \"%s\" to \"%s\"",
                target, schema->column_count, schema->columns[0].name,
                schema->columns[schema->column_count - 1].name);
    free(names);
}

/* Puts the name of the --target column into the spec. */
static enum cli_exit settle_target(struct cli_job *job, const struct cli_files *files)
{
    if (!files->target)
        return CLI_DONE;
    const struct ock_schema *schema = ock_dataset_schema(job->datasets[CLI_TRAIN]);
    size_t column = find_target(schema, files->target);
    if (column == SIZE_MAX) {
        say_unknown_target(schema, files->target);
        return CLI_USAGE;
    }
    cJSON *name = cJSON_CreateString(schema->columns[column].name);
    return set_member(data_object(job->json), "target", name) ? CLI_DONE : out_of_memory();
}

static enum cli_exit resolve(struct cli_job *job, const char *name, struct ock_faults *faults)
{
    const struct ock_schema *schemas[CLI_PARTS] = {0};
    struct ock_err err = {0};
    for (size_t i = 0; i < CLI_PARTS; i++)
        if (job->datasets[i])
            schemas[i] = ock_dataset_schema(job->datasets[i]);
    enum ock_status status = ock_spec_resolve(
        job->spec, schemas[CLI_TRAIN], schemas[CLI_VALIDATION], schemas[CLI_TEST], faults, &err);
    if (faults->count > 0)
        cli_say_faults(name, faults);
    else if (status != OCK_OK)
        cli_say("%s: %s", name, err.text);
    else
        return CLI_DONE;
    return status == OCK_NOMEM ? CLI_FAILED : CLI_USAGE;
}

static enum cli_exit make_place(struct cli_job *job)
{
    struct ock_err err = {0};
    enum ock_status status = cli_workdir_make(&job->dir, &err);
    if (status == OCK_OK)
        status = ock_worker_program_open(&job->program_fd, NULL, &err);
    if (status == OCK_OK)
        return CLI_DONE;
    cli_say("%s", err.text);
    return CLI_FAILED;
}

static enum cli_exit prepare(struct cli_job *job, const char *name, const struct cli_files *files,
                             bool data_needed, struct cli_signals *signals,
                             struct ock_faults *faults)
{
    if (!apply_files(job->json, files))
        return out_of_memory();
    enum cli_exit code = parse_spec(job, name, false, faults);
    if (code == CLI_DONE)
        code = check_names(job->spec, files, data_needed, name, faults);
    if (code != CLI_DONE || (!files->train && !job->spec->data.has_inline))
        return code;
    code = make_place(job);
    if (code == CLI_DONE)
        code = import_all(job, name, files, signals, faults);
    if (code == CLI_DONE)
        code = settle_target(job, files);
    if (code == CLI_DONE)
        code = parse_spec(job, name, false, faults);
    if (code == CLI_DONE)
        code = resolve(job, name, faults);
    return code;
}

enum cli_exit cli_job_prepare(struct cli_job *job, const char *path, const struct cli_files *files,
                              bool data_needed, struct cli_signals *signals)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    char *text = NULL;
    if (!faults)
        return out_of_memory();
    enum cli_exit code = cli_spec_read(path, &text, &job->json, faults);
    if (code == CLI_DONE)
        code = prepare(job, name, files, data_needed, signals, faults);
    free(text);
    free(faults);
    return code;
}
