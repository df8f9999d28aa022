/* Pages: pieces of a stream's text that any number of clients send from, and the short chain of
 * those that are on their way.
 *
 * A page tells the events behind number `from` up to number `to`. It lives as long as somebody holds
 * it. A chain is a row of pages without gaps: each begins where the one before it ends. It keeps a
 * page until everyone who was on it has gone on, and no more than so many bytes: who falls further
 * behind keeps the page that he is on, finds no next one, and has to read for himself.
 *
 * Nothing here locks: the caller's one lock guards all pages and chains. */
#ifndef OCK_SERVER_HTTP_PAGE_H
#define OCK_SERVER_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

struct ock_page {
    size_t holders;
    struct ock_page *next; /* in the chain; NULL: none yet, or the chain has let go of this one */
    uint64_t from, to;
    bool last;           /* nothing comes behind it */
    struct ock_buf text; /* immutable */
};

/* A page that the caller holds; takes the text. NULL: out of memory (the text is untouched). */
struct ock_page *ock_page_new(struct ock_buf *text, uint64_t from, uint64_t to, bool last);
struct ock_page *ock_page_hold(struct ock_page *page);
void ock_page_release(struct ock_page *page); /* the last holder frees it; NULL is a no-op */

struct ock_chain {
    struct ock_page *oldest, *newest; /* held */
    size_t bytes, bytes_max;
};

/* Puts a page at the end (and holds it); lets go of the oldest ones while there are too many bytes.
 */
void ock_chain_add(struct ock_chain *chain, struct ock_page *page);
/* Lets go of the pages that nobody is on or has still to reach. Call it when someone leaves one. */
void ock_chain_trim(struct ock_chain *chain);
/* The first page that begins there, borrowed; NULL: none. */
struct ock_page *ock_chain_find(const struct ock_chain *chain, uint64_t from);
void ock_chain_clear(struct ock_chain *chain);

#endif
