/* Paths and queries of the daemon's HTTP interface, built piece by piece. Whatever users type is percent-encoded. */
#ifndef VNETCTL_URL_H
#define VNETCTL_URL_H 1

#include <stdbool.h>
#include <stddef.h>

/* Text that grows; free(url->text). */
struct url {
    char *text;
    size_t n, cap;
    bool has_query;
};

void url_init(struct url *, const char *path); /* taken as it is, e.g. "/v1" */
void url_done(struct url *);
void url_segment(struct url *, const char *); /* "/" and the text; its own "/" becomes %2F */
void url_query(struct url *, const char *key, const char *value);

#endif
