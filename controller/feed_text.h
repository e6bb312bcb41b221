/* An event as the API tells it, made once for all who may be told the same. */
#ifndef CONTROLLER_FEED_TEXT_H
#define CONTROLLER_FEED_TEXT_H 1

#include "controller/feed.h"

/* Texts that are kept for the next who reads the same: those who keep up share each, those who lag behind have their own made. */
#define FEED_TEXT_BYTES (4 << 20)

/* "id: ...\nevent: change\ndata: ...\n\n" (server-sent events), with the object as it was when the first who read the event did. 'names_hosts' as in columns.h.
 * Valid until the next call. */
const char *feed_text(struct feed *, const struct feed_event *, bool names_hosts, size_t *n);
uint64_t feed_texts_made(const struct feed_texts *);

/* ---- for feed.c ---- */
struct feed_texts *feed_texts_new(struct controller *);
void feed_texts_free(struct feed_texts *);

#endif
