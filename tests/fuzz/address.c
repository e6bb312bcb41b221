/* Addresses, prefixes, UUIDs and plain text as strangers write them: one line each. What is taken must come out as it was meant. */
#include "tests/fuzz/fuzz.h"

#include "base/addr.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"

static void
mac_try(const char *text)
{
    struct mac mac, again;
    char buf[MAC_STRLEN];
    if (!mac_parse(text, &mac))
        return;
    FUZZ_CLAIM(mac_parse(mac_format(mac, buf), &again) && mac_equal(mac, again));
    FUZZ_CLAIM(mac_equal(mac_from_u64(mac_to_u64(mac)), mac));
    FUZZ_CLAIM(!mac_is_unicast(mac) || !mac_is_zero(mac));
}

static void
ip_try(const char *text)
{
    struct ip ip, again, next;
    char buf[IP_STRLEN];
    if (!ip_parse(text, &ip))
        return;
    FUZZ_CLAIM(ip_parse(ip_format(ip, buf), &again) && ip_equal(ip, again));
    FUZZ_CLAIM(ip_hash(ip, 1) == ip_hash(again, 1));
    next = ip;
    FUZZ_CLAIM(ip_add(&next, 1) ? ip_compare(ip, next) < 0 : ip_equal(ip, next));
    FUZZ_CLAIM(ip.family != IP_V4 || ip_equal(ip4(ip4_u32(ip)), ip));
    FUZZ_CLAIM(ip_prefix_contains(ip_prefix_host(ip), ip));
}

static void
prefix_try(const char *text, const struct ip_prefix *before)
{
    struct ip_prefix prefix, again;
    char buf[IP_PREFIX_STRLEN];
    bool has_host_bits;
    if (!ip_prefix_parse(text, &prefix, &has_host_bits))
        return;
    FUZZ_CLAIM(!has_host_bits && ip_equal(ip_prefix_first(prefix), prefix.ip));
    FUZZ_CLAIM(ip_prefix_parse(ip_prefix_format(prefix, buf), &again, NULL) && ip_prefix_equal(prefix, again));
    FUZZ_CLAIM(ip_prefix_contains(prefix, ip_prefix_last(prefix)));
    FUZZ_CLAIM(ip_prefix_covers(prefix, *before) <= ip_prefix_overlaps(*before, prefix));
}

static void
uuid_try(const char *text)
{
    struct uuid uuid, again;
    char buf[UUID_STRLEN];
    bool is_uuid = uuid_parse(text, &uuid);
    FUZZ_CLAIM(uuid_is_shape(text) == is_uuid);
    if (!is_uuid)
        return;
    FUZZ_CLAIM(uuid_parse(uuid_format(uuid, buf), &again) && uuid_equal(uuid, again) && uuid_hash(uuid) == uuid_hash(again));
    FUZZ_CLAIM(!uuid_is_zero(uuid_from_random(uuid.b)));
}

/* Whatever comes in, what goes to a log is one line of UTF-8. */
static void
escape_try(const char *text)
{
    char out[40];
    struct error err;
    FUZZ_CLAIM(text_escape(out, sizeof out, text) == strlen(out));
    error_set(&err, ERROR_INVALID, "'%s'", text);
    error_prefix(&err, "%s", text);
    for (const char *p = err.text; *p; p += text_utf8_length(p))
        FUZZ_CLAIM(text_utf8_length(p) && (unsigned char) *p >= 0x20);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ip_prefix before = ip_prefix_host(ip4(0x0a000001));
    char *text = fuzz_text(data, n), *rest = text;
    for (char *line; (line = fuzz_line(&rest));) {
        mac_try(line);
        ip_try(line);
        prefix_try(line, &before);
        uuid_try(line);
        escape_try(line);
    }
    free(text);
    return 0;
}
