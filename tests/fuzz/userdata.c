/* What a flow tells its responder: any bytes of a switch. What is taken is written back as it was. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/userdata.h"

/* A domain ends at a zero byte. */
static void
lease_check(const uint8_t *data, size_t n, const struct dhcp_lease *l)
{
    struct bytes b = BYTES_INIT;
    FUZZ_CLAIM(l->n_dns <= LIMIT_LIST && l->prefix_len <= 32 && strlen(l->domain) <= DHCP_DOMAIN_MAX);
    userdata_put_lease(&b, l);
    FUZZ_CLAIM(b.n <= n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

static void
error_check(const uint8_t *data, size_t n, const struct icmp_error *e)
{
    struct bytes b = BYTES_INIT;
    FUZZ_CLAIM(e->prefix_len <= 32);
    userdata_put_error(&b, e);
    FUZZ_CLAIM(b.n == n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

static void
inner_check(const uint8_t *data, size_t n, const struct icmp_inner *i)
{
    struct bytes b = BYTES_INIT;
    userdata_put_inner(&b, i);
    FUZZ_CLAIM(b.n == n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

static void
pool_check(const uint8_t *data, size_t n, uint32_t pool)
{
    struct bytes b = BYTES_INIT;
    userdata_put_pool(&b, pool);
    FUZZ_CLAIM(b.n == n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

static void
checked_check(const uint8_t *data, size_t n, uint32_t port)
{
    struct bytes b = BYTES_INIT;
    userdata_put_checked(&b, port);
    FUZZ_CLAIM(b.n == n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

static void
split_check(const uint8_t *data, size_t n, uint16_t mtu)
{
    struct bytes b = BYTES_INIT;
    userdata_put_split(&b, mtu);
    FUZZ_CLAIM(b.n == n && !memcmp(b.data, data, b.n));
    bytes_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct dhcp_lease lease;
    struct icmp_error error;
    struct icmp_inner inner;
    uint32_t pool, port;
    uint16_t mtu;
    enum icmp_echo_side side;
    if (userdata_get_lease(data, n, &lease))
        lease_check(data, n, &lease);
    if (userdata_get_error(data, n, &error))
        error_check(data, n, &error);
    if (userdata_get_inner(data, n, &inner))
        inner_check(data, n, &inner);
    if (userdata_get_pool(data, n, &pool))
        pool_check(data, n, pool);
    if (userdata_get_checked(data, n, &port))
        checked_check(data, n, port);
    if (userdata_get_split(data, n, &mtu))
        split_check(data, n, mtu);
    if (userdata_get_echo(data, n, &side))
        FUZZ_CLAIM(n == 3 && data[2] == side);
    return 0;
}
