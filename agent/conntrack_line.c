#include "agent/conntrack_line.h"

#include <string.h>

#include "base/text.h"
#include "vnet/pipeline/feature.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

struct piece {
    const char *p;
    size_t n;
};

/* "KEY=VALUE", "KEY=(...)" or "WORD" (then the value is empty), up to a comma that is in no parentheses. False: there is none left. */
static bool
take_field(struct piece *rest, struct piece *key, struct piece *value)
{
    size_t i = 0, n_key = 0, depth = 0;
    bool has_value = false;
    if (!rest->n)
        return false;
    for (; i < rest->n && (depth || rest->p[i] != ','); i++) {
        if (!has_value && rest->p[i] == '=') {
            has_value = true;
            n_key = i;
        }
        depth += rest->p[i] == '(';
        depth -= depth && rest->p[i] == ')';
    }
    *key = (struct piece){ rest->p, has_value ? n_key : i };
    *value = has_value ? (struct piece){ rest->p + n_key + 1, i - n_key - 1 } : (struct piece){ rest->p + i, 0 };
    i += i < rest->n;
    *rest = (struct piece){ rest->p + i, rest->n - i };
    return true;
}

static bool
is_word(struct piece piece, const char *word)
{
    return piece.n == strlen(word) && !memcmp(piece.p, word, piece.n);
}

/* What is between its parentheses. */
static struct piece
inside(struct piece piece)
{
    bool is_group = piece.n >= 2 && piece.p[0] == '(' && piece.p[piece.n - 1] == ')';
    return is_group ? (struct piece){ piece.p + 1, piece.n - 2 } : (struct piece){ piece.p, 0 };
}

static bool
read_number(struct piece piece, uint64_t max, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.p[i] < '0' || piece.p[i] > '9')
            return false;
        *value = *value * 10 + (uint64_t) (piece.p[i] - '0');
        if (*value > max)
            return false;
    }
    return piece.n > 0;
}

static int
digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The lower half of "0x" and up to 32 digits: what we use is there. */
static bool
read_label(struct piece piece, uint64_t *value)
{
    *value = 0;
    if (piece.n < 3 || piece.n > 34 || piece.p[0] != '0' || piece.p[1] != 'x')
        return false;
    for (size_t i = 2; i < piece.n; i++) {
        int digit = digit_of(piece.p[i]);
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint64_t) digit;
    }
    return true;
}

static bool
read_ip(struct piece piece, struct ip *ip)
{
    char text[IP_STRLEN];
    if (piece.n >= sizeof text)
        return false;
    memcpy(text, piece.p, piece.n);
    text[piece.n] = '\0';
    return ip_parse(text, ip);
}

/* What a line says, as far as it matters. */
struct said {
    struct piece orig, protoinfo;
    uint64_t zone, mark, label;
};

static bool
read_marks(struct piece rest, struct said *s)
{
    struct piece key, value;
    bool ok = true;
    while (ok && take_field(&rest, &key, &value)) {
        if (is_word(key, "orig"))
            s->orig = inside(value);
        else if (is_word(key, "protoinfo"))
            s->protoinfo = inside(value);
        else if (is_word(key, "zone"))
            ok = read_number(value, UINT16_MAX, &s->zone);
        else if (is_word(key, "mark"))
            ok = read_number(value, UINT32_MAX, &s->mark);
        else if (is_word(key, "labels"))
            ok = read_label(value, &s->label);
    }
    return ok;
}

static bool
read_destination(struct piece rest, struct conntrack_entry *e)
{
    struct piece key, value;
    uint64_t port = 0;
    bool has_ip = false, has_port = false;
    while (take_field(&rest, &key, &value)) {
        if (is_word(key, "dst"))
            has_ip = read_ip(value, &e->ip);
        else if (is_word(key, "dport"))
            has_port = read_number(value, UINT16_MAX, &port);
    }
    e->port = (uint16_t) port;
    return has_ip && has_port;
}

/* Of one direction. Userspace conntrack leaves closed connections in FIN_WAIT_2, and begins the answering side as CLOSED. */
static bool
is_over(struct piece state)
{
    return is_word(state, "TIME_WAIT") || is_word(state, "CLOSED") || is_word(state, "FIN_WAIT_2");
}

static bool
read_state(struct piece rest, struct conntrack_entry *e)
{
    struct piece key, value, orig = { "", 0 }, reply = { "", 0 };
    while (take_field(&rest, &key, &value)) {
        if (is_word(key, "state_orig"))
            orig = value;
        else if (is_word(key, "state_reply"))
            reply = value;
    }
    e->is_open = !is_over(orig) || !is_over(reply);
    return orig.n && reply.n;
}

static uint32_t
target_of(const struct said *s)
{
    bool is_balanced = s->mark >> LAYOUT_CT_BALANCED.ofs & 1;
    return is_balanced ? (uint32_t) (s->label >> LAYOUT_CT_TARGET.ofs) : 0;
}

static bool
makes_no_sense(const char *line, size_t n, struct error *err)
{
    char text[160], shown[240];
    size_t length = n < sizeof text - 1 ? n : sizeof text - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    text_escape(shown, sizeof shown, text);
    return error_set(err, ERROR_PROTOCOL, "a tracked connection's line makes no sense: %s", shown);
}

bool
conntrack_line_read(const char *line, size_t n, struct conntrack_entry *e, bool *is_balanced, struct error *err)
{
    struct piece rest = { line, n }, proto, none;
    struct said said = { .orig = { "", 0 }, .protoinfo = { "", 0 } };
    *is_balanced = false;
    if (!take_field(&rest, &proto, &none) || (!is_word(proto, "tcp") && !is_word(proto, "udp")))
        return true;
    if (!read_marks(rest, &said))
        return makes_no_sense(line, n, err);
    *e = (struct conntrack_entry){ .target = target_of(&said), .zone = (uint16_t) said.zone, .proto = PROTO_UDP, .is_open = true };
    if (!e->target)
        return true;
    if (is_word(proto, "tcp"))
        e->proto = PROTO_TCP;
    *is_balanced = read_destination(said.orig, e) && (e->proto == PROTO_UDP || read_state(said.protoinfo, e));
    return *is_balanced || makes_no_sense(line, n, err);
}
