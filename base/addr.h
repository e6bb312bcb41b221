/* Addresses as plain values: MAC, IP of either family, prefix. Parsing is strict: what 'format' prints is what
 * 'parse' takes, plus the usual shorter IPv6 spellings. Bytes are in network order. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mac {
    uint8_t b[6];
};

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

/* IP_NONE means 'no address'; its bytes are zero. Of an IPv4 address only b[0..3] is used, the rest is zero. */
struct ip {
    uint8_t family;
    uint8_t b[16];
};

/* Host bits may be set in a value; ip_prefix_parse() refuses them. */
struct ip_prefix {
    struct ip ip;
    uint8_t len; /* 0..32 or 0..128 */
};

/* Inclusive. Both of one family, first <= last. */
struct ip_range {
    struct ip first, last;
};

#define MAC_STRLEN 18 /* with the final 0 */
#define IP_STRLEN 46
#define IP_PREFIX_STRLEN 50

bool mac_parse(const char *, struct mac *);
char *mac_format(struct mac, char buf[MAC_STRLEN]); /* returns buf; lower case, colons */
uint64_t mac_to_u64(struct mac);
struct mac mac_from_u64(uint64_t);
bool mac_equal(struct mac, struct mac);
bool mac_is_zero(struct mac);
bool mac_is_unicast(struct mac); /* group bit clear and not zero */

struct ip ip4(uint32_t host_order);
uint32_t ip4_u32(struct ip); /* host order; the caller knows that it is IPv4 */
bool ip_parse(const char *, struct ip *);
char *ip_format(struct ip, char buf[IP_STRLEN]); /* returns buf; IP_NONE is "none", for messages */
bool ip_equal(struct ip, struct ip);
int ip_compare(struct ip, struct ip); /* by family, then number */
uint32_t ip_hash(struct ip, uint32_t basis);
bool ip_add(struct ip *, uint64_t n); /* *ip += n; false, unchanged, beyond the last address */

/* "A.B.C.D/N". '*has_host_bits', if not NULL, says why a well-formed prefix was refused. */
bool ip_prefix_parse(const char *, struct ip_prefix *, bool *has_host_bits);
char *ip_prefix_format(struct ip_prefix, char buf[IP_PREFIX_STRLEN]);
bool ip_prefix_equal(struct ip_prefix, struct ip_prefix);
bool ip_prefix_contains(struct ip_prefix, struct ip);
bool ip_prefix_covers(struct ip_prefix outer, struct ip_prefix inner);
bool ip_prefix_overlaps(struct ip_prefix, struct ip_prefix);
struct ip ip_prefix_mask(struct ip_prefix);
struct ip ip_prefix_first(struct ip_prefix); /* network address */
struct ip ip_prefix_last(struct ip_prefix);  /* broadcast address of IPv4 */
struct ip_prefix ip_prefix_host(struct ip);  /* /32 or /128 */

#endif
