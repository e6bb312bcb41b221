#include "agent/hook_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MAGIC "vnet-hook/1"
#define N_TEXTS 6 /* magic, guest, operation, suboperation, extra, milliseconds */

static void
put_text(struct bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text) + 1);
}

void
hook_message_put(struct bytes *b, const struct hook_message *m)
{
    char *ms = mem_printf("%u", m->timeout_ms);
    put_text(b, MAGIC);
    put_text(b, m->guest);
    put_text(b, m->operation);
    put_text(b, m->suboperation);
    put_text(b, m->extra);
    put_text(b, ms);
    bytes_put(b, m->xml, m->n_xml);
    free(ms);
}

static bool
parse_ms(const char *text, unsigned *ms)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ms = value < HOOK_TIMEOUT_MAX_MS ? (unsigned) value : HOOK_TIMEOUT_MAX_MS;
    return *text >= '0' && *text <= '9' && !*end;
}

bool
hook_message_parse(const char *bytes, size_t n, struct hook_message *m, struct error *err)
{
    const char *texts[N_TEXTS], *at = bytes, *end = bytes + n;
    for (size_t i = 0; i < N_TEXTS; i++) {
        const char *zero = at < end ? memchr(at, 0, (size_t) (end - at)) : NULL;
        if (!zero)
            return error_set(err, ERROR_PROTOCOL, "hook message: it ends in its %zu. text", i + 1);
        texts[i] = at;
        at = zero + 1;
    }
    *m = (struct hook_message){ texts[1], texts[2], texts[3], texts[4], 0, at, (size_t) (end - at) };
    if (strcmp(texts[0], MAGIC))
        return error_set(err, ERROR_PROTOCOL,
                         "hook message: it does not begin with " MAGIC "; vnet-hook and vnet-agent must be of one version");
    if (!parse_ms(texts[5], &m->timeout_ms))
        return error_set(err, ERROR_PROTOCOL, "hook message: its time to wait is no number");
    return true;
}

bool
hook_answer_parse(char *text, const char **refusal)
{
    static const char refused[] = "refused ";
    text[strcspn(text, "\n")] = '\0';
    *refusal = NULL;
    if (!strncmp(text, refused, sizeof refused - 1))
        *refusal = text + sizeof refused - 1;
    return *refusal || !strcmp(text, "ok");
}
