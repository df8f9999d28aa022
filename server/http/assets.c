/* Looking a file up: there are about five. */
#include "server/http/assets.h"

#include <string.h>

#ifndef OCK_DASHBOARD
const struct ock_asset *const ock_assets = NULL;
const size_t ock_asset_count = 0;
#endif

const struct ock_asset *ock_asset_find(const char *name)
{
    for (size_t i = 0; i < ock_asset_count; i++) {
        if (strcmp(ock_assets[i].name, name) == 0)
            return &ock_assets[i];
    }
    return NULL;
}
