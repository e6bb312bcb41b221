#include "agent/conntrack_reply.h"

#include <string.h>

#include "base/text.h"

void
conntrack_reply_init(struct conntrack_reply *r, conntrack_line *each, void *aux)
{
    memset(r, 0, offsetof(struct conntrack_reply, key));
    r->each = each;
    r->aux = aux;
}

static bool
refuse(const struct conntrack_reply *r, char c, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, "byte 0x%02x at %zu of ovs-vswitchd's answer, where %s is due", (unsigned char) c, r->n_bytes,
                     wanted);
}

static bool
expect(struct conntrack_reply *r, char c, char wanted, int next, struct error *err)
{
    const char text[] = { '\'', wanted, '\'', '\0' };
    if (c == wanted)
        r->state = next;
    return c == wanted || refuse(r, c, text, err);
}

/* ---- lines ---- */

static bool
end_line(struct conntrack_reply *r, struct error *err)
{
    size_t n = r->n_line;
    r->n_line = 0;
    return !n || r->each(r->aux, r->line, n, err);
}

/* A character of a string's text. */
static bool
take_char(struct conntrack_reply *r, char c, struct error *err)
{
    if (r->member == REPLY_MEMBER_OTHER)
        return true;
    if (r->member == REPLY_MEMBER_RESULT && c == '\n')
        return end_line(r, err);
    if (r->n_line < sizeof r->line - 1) {
        r->line[r->n_line++] = c;
        return true;
    }
    return r->member == REPLY_MEMBER_ERROR
           || error_set(err, ERROR_PROTOCOL, "ovs-vswitchd's answer has a line of more than %zu bytes", sizeof r->line - 1);
}

static bool
end_string(struct conntrack_reply *r, struct error *err)
{
    char shown[200];
    r->state = REPLY_COMMA;
    if (r->member == REPLY_MEMBER_RESULT) {
        r->has_result = true;
        return end_line(r, err);
    }
    if (r->member != REPLY_MEMBER_ERROR)
        return true;
    while (r->n_line && r->line[r->n_line - 1] == '\n')
        r->n_line--;
    r->line[r->n_line] = '\0';
    text_escape(shown, sizeof shown, r->line);
    return error_set(err, ERROR_UNAVAILABLE, "ovs-vswitchd says: %s", shown);
}

/* ---- characters ---- */

static bool
take_escaped(struct conntrack_reply *r, char c, struct error *err)
{
    static const char letters[] = "ntrbf\"\\/", meant[] = "\n\t\r\b\f\"\\/";
    const char *at = c ? strchr(letters, c) : NULL;
    r->state = REPLY_IN_STRING;
    if (at)
        return take_char(r, meant[at - letters], err);
    r->state = REPLY_IN_UNICODE;
    r->unicode = r->n_unicode = 0;
    return c == 'u' || refuse(r, c, "an escaped character", err);
}

/* Nothing that we look for has other characters than those of ASCII. */
static bool
take_unicode(struct conntrack_reply *r, char c, struct error *err)
{
    const char *at = c ? strchr("0123456789abcdef0123456789ABCDEF", c) : NULL;
    if (!at)
        return refuse(r, c, "a hexadecimal digit", err);
    size_t digit = (size_t) (at - "0123456789abcdef0123456789ABCDEF") % 16;
    r->unicode = r->unicode << 4 | (unsigned) digit;
    if (++r->n_unicode < 4)
        return true;
    r->state = REPLY_IN_STRING;
    return take_char(r, r->unicode && r->unicode < 0x80 ? (char) r->unicode : '?', err);
}

static bool
take_in_string(struct conntrack_reply *r, char c, struct error *err)
{
    if (c == '"')
        return end_string(r, err);
    if (c == '\\') {
        r->state = REPLY_IN_ESCAPE;
        return true;
    }
    return (unsigned char) c >= ' ' ? take_char(r, c, err) : refuse(r, c, "a string", err);
}

static void
end_key(struct conntrack_reply *r)
{
    r->key[r->n_key] = '\0';
    r->n_key = 0;
    r->state = REPLY_COLON;
    r->member = !strcmp(r->key, "result") ? REPLY_MEMBER_RESULT : !strcmp(r->key, "error") ? REPLY_MEMBER_ERROR : REPLY_MEMBER_OTHER;
}

static bool
take_in_key(struct conntrack_reply *r, char c, struct error *err)
{
    if (c == '"') {
        end_key(r);
        return true;
    }
    if (r->n_key == sizeof r->key - 1 || (unsigned char) c < ' ' || c == '\\')
        return refuse(r, c, "a member's name", err);
    r->key[r->n_key++] = c;
    return true;
}

static bool
begin_value(struct conntrack_reply *r, char c, struct error *err)
{
    r->n_line = 0;
    r->state = c == '"' ? REPLY_IN_STRING : REPLY_IN_WORD;
    if (c == '"' && r->member == REPLY_MEMBER_RESULT && r->has_result)
        return error_set(err, ERROR_PROTOCOL, "ovs-vswitchd's answer has two results");
    return c == '"' || (c && strchr("0123456789-ntf", c)) || refuse(r, c, "a string, a number or null", err);
}

static bool
take_after_value(struct conntrack_reply *r, char c, struct error *err)
{
    r->state = c == '}' ? REPLY_DONE : REPLY_KEY;
    if (c != '}')
        return c == ',' || refuse(r, c, "',' or '}'", err);
    return r->has_result || error_set(err, ERROR_PROTOCOL, "ovs-vswitchd's answer has neither result nor error");
}

static bool
take_in_word(struct conntrack_reply *r, char c, struct error *err)
{
    bool is_of_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '+' || c == '-' || c == 'E';
    return is_of_word || take_after_value(r, c, err);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
take(struct conntrack_reply *r, char c, struct error *err)
{
    switch (r->state) {
    case REPLY_IN_STRING: return take_in_string(r, c, err);
    case REPLY_IN_ESCAPE: return take_escaped(r, c, err);
    case REPLY_IN_UNICODE: return take_unicode(r, c, err);
    case REPLY_IN_KEY: return take_in_key(r, c, err);
    case REPLY_DONE: return true;
    default: break;
    }
    if (is_space(c)) {
        r->state = r->state == REPLY_IN_WORD ? REPLY_COMMA : r->state;
        return true;
    }
    switch (r->state) {
    case REPLY_BEGIN: return expect(r, c, '{', REPLY_KEY, err);
    case REPLY_KEY: return expect(r, c, '"', REPLY_IN_KEY, err);
    case REPLY_COLON: return expect(r, c, ':', REPLY_VALUE, err);
    case REPLY_VALUE: return begin_value(r, c, err);
    case REPLY_IN_WORD: return take_in_word(r, c, err);
    default: return take_after_value(r, c, err);
    }
}

bool
conntrack_reply_push(struct conntrack_reply *r, const char *bytes, size_t n, struct error *err)
{
    for (size_t i = 0; i < n && r->state != REPLY_DONE; i++) {
        if (r->n_bytes == CONNTRACK_REPLY_MAX)
            return error_set(err, ERROR_TOO_LARGE, "ovs-vswitchd's answer is longer than %d MiB", CONNTRACK_REPLY_MAX >> 20);
        if (!take(r, bytes[i], err))
            return false;
        r->n_bytes++;
    }
    return true;
}

bool
conntrack_reply_is_whole(const struct conntrack_reply *r)
{
    return r->state == REPLY_DONE;
}
