/* Two files that belong together, from the worker's directory to the user's and back. */
#include "clients/cli/kept.h"

#include <stdio.h>
#include <unistd.h>

void cli_kept_init(struct cli_kept *kept, const char *file, bool searches,
                   const struct cli_workdir *dir)
{
    *kept = (struct cli_kept){.file = file, .searches = searches};
    cli_workdir_path(dir, "checkpoint", kept->checkpoint);
    cli_workdir_path(dir, "checkpoint.tuning", kept->search);
    if (!file || !searches)
        return;
    int length = snprintf(kept->search_file, sizeof(kept->search_file), "%s.tuning", file);
    if (length < 0 || (size_t)length >= sizeof(kept->search_file))
        kept->search_file[0] = '\0';
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

enum ock_status cli_kept_bring(const struct cli_kept *kept, struct ock_err *err)
{
    if (!kept->file)
        return OCK_OK;
    bool checkpoint = is_there(kept->file);
    if (kept->searches && !kept->search_file[0])
        return ock_fail(err, OCK_LIMIT, "--checkpoint: the file's name is too long");
    bool search = kept->searches && is_there(kept->search_file);
    if (kept->searches && checkpoint && !search)
        return ock_fail(err, OCK_INVALID,
                        "--checkpoint %.300s: it is not of this job, which searches: %.300s.tuning "
                        "would be beside it; name another file",
                        kept->file, kept->file);
    enum ock_status status = OCK_OK;
    if (search)
        status = cli_file_copy(kept->search_file, kept->search, err);
    if (status == OCK_OK && checkpoint)
        status = cli_file_copy(kept->file, kept->checkpoint, err);
    return status;
}

/* The search's first: a checkpoint is its refit's, and means nothing without it. */
enum ock_status cli_kept_take(const struct cli_kept *kept, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    if (!kept->file || kept->frozen)
        return OCK_OK;
    if (kept->searches && is_there(kept->search))
        status = cli_file_copy(kept->search, kept->search_file, err);
    if (status == OCK_OK && is_there(kept->checkpoint))
        status = cli_file_copy(kept->checkpoint, kept->file, err);
    return status;
}

void cli_kept_remove(const struct cli_kept *kept)
{
    if (!kept->file)
        return;
    (void)unlink(kept->file);
    if (kept->searches)
        (void)unlink(kept->search_file);
}
