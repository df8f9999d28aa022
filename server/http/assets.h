/* The dashboard's files, which are a part of the program: nothing is read from the disk, and no path
 * of a request becomes one of a file. The table is made at build time by scripts/dashboard.sh; it is
 * empty when the server is built with OCK_DASHBOARD=OFF. */
#ifndef OCK_SERVER_HTTP_ASSETS_H
#define OCK_SERVER_HTTP_ASSETS_H

#include <stddef.h>

struct ock_asset {
    const char *name; /* "index.html", "app-1f3870be274f.js" */
    const char *type; /* Content-Type */
    const char *tag;  /* of the plain bytes: hexadecimal, without quotes */
    const unsigned char *bytes;
    size_t size;
    const unsigned char *gzip; /* NULL: not worth it */
    size_t gzip_size;
};

extern const struct ock_asset *const ock_assets;
extern const size_t ock_asset_count;

/* NULL: there is none of this name. */
const struct ock_asset *ock_asset_find(const char *name);

#endif
