/* Ranges: of addresses, "IP-IP", and of ports, "LO-HI". Both ends are in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/model/field_value.h"

#define PORT_DIGITS_MAX 5

static bool
ip_range_parse(const char *s, struct ip_range *range)
{
    char first[IP_STRLEN];
    size_t n = strcspn(s, "-");
    if (s[n] != '-' || n >= sizeof first)
        return false;
    memcpy(first, s, n);
    first[n] = '\0';
    return ip_parse(first, &range->first) && ip_parse(s + n + 1, &range->last) && range->first.family == range->last.family;
}

const char *
ip_range_format(struct ip_range range, char buf[IP_RANGE_TEXT_MAX])
{
    char first[IP_STRLEN], last[IP_STRLEN];
    snprintf(buf, IP_RANGE_TEXT_MAX, "%s-%s", ip_format(range.first, first), ip_format(range.last, last));
    return buf;
}

bool
ip_range_give(const struct field *f, const json_t *value, struct ip_range *range, struct error *err)
{
    const char *s = json_string_value(value);
    char shown[VALUE_SHOWN_MAX], right[IP_RANGE_TEXT_MAX];
    struct ip_range given;
    if (!s || !ip_range_parse(s, &given))
        return error_set(err, ERROR_INVALID, "%s '%s' is no range of addresses; write FIRST-LAST, e.g. 203.0.113.10-203.0.113.20", f->name,
                         value_shown(value, shown));
    if (ip_compare(given.first, given.last) > 0)
        return error_set(err, ERROR_INVALID, "%s '%s' ends before it begins; write %s", f->name, value_shown(value, shown),
                         ip_range_format((struct ip_range){ given.last, given.first }, right));
    *range = given;
    return true;
}

json_t *
ip_range_json(const struct ip_range *range)
{
    char text[IP_RANGE_TEXT_MAX];
    return range->first.family == IP_NONE ? json_null() : json_string(ip_range_format(*range, text));
}

/* ---- ports ---- */
/* The first 'n' characters: 1 to 65535, as it would be printed. */
static bool
port_parse(const char *s, size_t n, uint16_t *port)
{
    if (!n || n > PORT_DIGITS_MAX || strspn(s, "0123456789") < n || s[0] == '0')
        return false;
    long value = strtol(s, NULL, 10);
    *port = value;
    return value <= UINT16_MAX;
}

bool
port_range_give(const struct field *f, const json_t *value, struct port_range *range, struct error *err)
{
    const char *s = json_string_value(value);
    size_t n = s ? strcspn(s, "-") : 0;
    struct port_range given;
    if (s && s[n] == '-' && port_parse(s, n, &given.lo) && port_parse(s + n + 1, strlen(s + n + 1), &given.hi) && given.lo <= given.hi) {
        *range = given;
        return true;
    }
    char shown[VALUE_SHOWN_MAX];
    return error_set(err, ERROR_INVALID, "%s '%s' is no range of ports; write LO-HI of 1 to 65535, e.g. 1024-65535", f->name,
                     value_shown(value, shown));
}

json_t *
port_range_json(const struct port_range *range)
{
    return range->lo ? json_sprintf("%u-%u", range->lo, range->hi) : json_null();
}
