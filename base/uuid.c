/* UUIDs: the identities of all objects, of OVSDB rows, and of VMs' interfaces. */
#include "base/uuid.h"

#include <stddef.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

static bool
has_dash_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool
uuid_parse(const char *s, struct uuid *u)
{
    struct uuid parsed;
    for (int i = 0; i < 16; i++) {
        if (has_dash_before(i) && *s++ != '-')
            return false;
        int byte = text_hex_byte(s);
        if (byte < 0)
            return false;
        parsed.b[i] = byte;
        s += 2;
    }
    if (*s)
        return false;
    *u = parsed;
    return true;
}

bool
uuid_is_shape(const char *s)
{
    struct uuid unused;
    return uuid_parse(s, &unused);
}

char *
uuid_format(struct uuid u, char buf[UUID_STRLEN])
{
    static const char hex[] = "0123456789abcdef";
    char *p = buf;
    for (int i = 0; i < 16; i++) {
        if (has_dash_before(i))
            *p++ = '-';
        *p++ = hex[u.b[i] >> 4];
        *p++ = hex[u.b[i] & 15];
    }
    *p = '\0';
    return buf;
}

bool
uuid_equal(struct uuid a, struct uuid b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

bool
uuid_is_zero(struct uuid u)
{
    return uuid_equal(u, (struct uuid){ { 0 } });
}

uint32_t
uuid_hash(struct uuid u)
{
    return hash_bytes(u.b, sizeof u.b, 0);
}

struct uuid
uuid_from_random(const uint8_t random[16])
{
    struct uuid u;
    memcpy(u.b, random, sizeof u.b);
    u.b[6] = (u.b[6] & 0x0f) | 0x40;
    u.b[8] = (u.b[8] & 0x3f) | 0x80;
    return u;
}
