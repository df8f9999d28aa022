/* Pages and chains: counts of holders and a list. */
#include "server/http/page.h"

#include <assert.h>
#include <stdlib.h>

struct ock_page *ock_page_new(struct ock_buf *text, uint64_t from, uint64_t to, bool last)
{
    struct ock_page *page = calloc(1, sizeof(*page));
    if (!page)
        return NULL;
    *page = (struct ock_page){.holders = 1, .from = from, .to = to, .last = last, .text = *text};
    *text = (struct ock_buf){.size_max = text->size_max};
    return page;
}

struct ock_page *ock_page_hold(struct ock_page *page)
{
    page->holders++;
    return page;
}

void ock_page_release(struct ock_page *page)
{
    if (!page)
        return;
    assert(page->holders > 0);
    if (--page->holders > 0)
        return;
    ock_buf_deinit(&page->text);
    free(page);
}

static void drop_oldest(struct ock_chain *chain)
{
    struct ock_page *page = chain->oldest;
    chain->oldest = page->next;
    if (!chain->oldest)
        chain->newest = NULL;
    chain->bytes -= page->text.size;
    page->next = NULL;
    ock_page_release(page);
}

void ock_chain_add(struct ock_chain *chain, struct ock_page *page)
{
    assert(!chain->newest || chain->newest->to == page->from);
    if (chain->newest)
        chain->newest->next = page;
    else
        chain->oldest = page;
    chain->newest = ock_page_hold(page);
    chain->bytes += page->text.size;
    while (chain->bytes > chain->bytes_max && chain->oldest != chain->newest)
        drop_oldest(chain);
}

void ock_chain_trim(struct ock_chain *chain)
{
    while (chain->oldest && chain->oldest->holders == 1)
        drop_oldest(chain);
}

struct ock_page *ock_chain_find(const struct ock_chain *chain, uint64_t from)
{
    struct ock_page *page = chain->oldest;
    while (page && page->from != from)
        page = page->next;
    return page;
}

void ock_chain_clear(struct ock_chain *chain)
{
    while (chain->oldest)
        drop_oldest(chain);
}
