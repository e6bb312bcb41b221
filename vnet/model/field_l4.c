/* Protocols and ports: of load balancers, which have one of each, and of rules, which match many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/model/field_value.h"

#define PORT_MAX 65535
#define ICMP_MAX 255

/* The first 'n' characters as a number, digits only, as it would be printed; -1: it is none of 0..max. */
static int
number_parse(const char *s, size_t n, int max)
{
    if (!n || n > 5 || strspn(s, "0123456789") < n || (s[0] == '0' && n > 1))
        return -1;
    long number = strtol(s, NULL, 10);
    return number <= max ? (int) number : -1;
}

/* ---- a port ---- */
bool
port_give(const struct field *f, const json_t *value, uint16_t *port, struct error *err)
{
    int64_t n;
    char shown[VALUE_SHOWN_MAX];
    if (!field_uint_parse(value, &n) || n < 1 || n > PORT_MAX)
        return error_set(err, ERROR_INVALID, "%s '%s' is no port; write a number from 1 to %d", f->name, value_shown(value, shown),
                         PORT_MAX);
    *port = n;
    return true;
}

/* ---- TCP or UDP ---- */
static const struct {
    const char *word;
    int proto;
} protos[] = { { "tcp", L4_TCP }, { "udp", L4_UDP }, { "icmp", L4_ICMP }, { "icmp6", L4_ICMP6 }, { "all", -1 } };
#define N_PROTOS (sizeof protos / sizeof protos[0])

const char *
l4_proto_word(int proto)
{
    for (size_t i = 0; i < N_PROTOS; i++)
        if (protos[i].proto == proto)
            return protos[i].word;
    return NULL;
}

bool
l4_proto_parse(const char *word, int *proto)
{
    for (size_t i = 0; i < N_PROTOS; i++)
        if (!strcmp(protos[i].word, word)) {
            *proto = protos[i].proto;
            return true;
        }
    return false;
}

bool
proto_give(const struct field *f, const json_t *value, uint8_t *proto, struct error *err)
{
    const char *s = json_string_value(value);
    char shown[VALUE_SHOWN_MAX];
    int given;
    if (!s || !l4_proto_parse(s, &given) || (given != L4_TCP && given != L4_UDP))
        return error_set(err, ERROR_INVALID, "%s '%s' cannot be balanced; write tcp or udp", f->name, value_shown(value, shown));
    *proto = given;
    return true;
}

json_t *
proto_json(uint8_t proto)
{
    const char *word = proto ? l4_proto_word(proto) : NULL;
    return word ? json_string(word) : json_null();
}

/* ---- what a rule matches: the protocol ---- */
bool
match_proto_give(const struct field *f, const json_t *value, int *proto, struct error *err)
{
    const char *s = json_string_value(value);
    char shown[VALUE_SHOWN_MAX];
    int64_t n;
    if (s && l4_proto_parse(s, proto))
        return true;
    if (!field_uint_parse(value, &n) || n < 0 || n > UINT8_MAX)
        return error_set(err, ERROR_INVALID, "%s '%s' is no protocol; write tcp, udp, icmp, icmp6, all or a number from 0 to 255", f->name,
                         value_shown(value, shown));
    *proto = n;
    return true;
}

json_t *
match_proto_json(int proto)
{
    const char *word = l4_proto_word(proto);
    return word ? json_string(word) : json_sprintf("%d", proto);
}

/* ---- what a rule matches: ports, or ICMP's types ---- */
bool
l4_has_ports(int proto)
{
    return proto == L4_TCP || proto == L4_UDP;
}

bool
l4_is_icmp(int proto)
{
    return proto == L4_ICMP || proto == L4_ICMP6;
}

/* "N" or "N-M" */
static bool
ports_parse(const char *s, struct l4_match *match)
{
    size_t n = strcspn(s, "-");
    match->lo = number_parse(s, n, PORT_MAX);
    match->hi = s[n] ? number_parse(s + n + 1, strlen(s + n + 1), PORT_MAX) : match->lo;
    return match->lo >= 0 && match->hi >= match->lo;
}

/* "TYPE" or "TYPE/CODE" */
static bool
icmp_parse(const char *s, struct l4_match *match)
{
    size_t n = strcspn(s, "/");
    match->lo = number_parse(s, n, ICMP_MAX);
    match->hi = s[n] ? number_parse(s + n + 1, strlen(s + n + 1), ICMP_MAX) : -1;
    return match->lo >= 0 && (!s[n] || match->hi >= 0);
}

static bool
refuse_ports(const struct field *f, const json_t *value, int proto, struct error *err)
{
    char shown[VALUE_SHOWN_MAX], number[16];
    const char *word = l4_proto_word(proto);
    snprintf(number, sizeof number, "%d", proto);
    return error_set(err, ERROR_INVALID, "%s '%s' does not go with protocol %s; write %s", f->name, value_shown(value, shown),
                     word ? word : number,
                     l4_has_ports(proto) ? "N or N-M of 0 to 65535, or - for any"
                     : l4_is_icmp(proto) ? "TYPE or TYPE/CODE, each of 0 to 255, or - for any"
                                         : "-, for it has no ports");
}

bool
match_ports_give(const struct field *f, const json_t *value, struct l4_match *match, struct error *err)
{
    struct l4_match given = { match->proto, -1, -1 };
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long) json_integer_value(value));
    const char *s = json_is_integer(value) ? number : json_string_value(value);
    bool ok = s
              && (!strcmp(s, "-") || (l4_has_ports(match->proto) && ports_parse(s, &given))
                  || (l4_is_icmp(match->proto) && icmp_parse(s, &given)));
    if (!ok)
        return refuse_ports(f, value, match->proto, err);
    *match = given;
    return true;
}

json_t *
match_ports_json(const struct l4_match *match)
{
    if (match->lo < 0)
        return json_string("-");
    if (l4_is_icmp(match->proto))
        return match->hi < 0 ? json_sprintf("%d", match->lo) : json_sprintf("%d/%d", match->lo, match->hi);
    return match->hi == match->lo ? json_sprintf("%d", match->lo) : json_sprintf("%d-%d", match->lo, match->hi);
}
