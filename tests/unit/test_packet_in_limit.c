/* Scripts of who sends when, and what of it is taken: floods, quiet owners beside them, and the bound on all together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "base/limits.h"
#include "ofproto/session/packet_in_limit.h"
#include "tests/unit/random.h"

#define START_MS 1000000
#define SECONDS 60
#define FLOODERS 20
#define QUIET 1000 /* number of the port that asks now and then */

#define BUCKET(S) (((S) + 1) * LIMIT_PACKET_INS_PER_SECOND)
#define SHARE(S) ((S) *LIMIT_PACKET_INS_PER_OWNER + LIMIT_PACKET_IN_BURST_PER_OWNER)

static struct packet_in
packet_of(uint8_t kind, uint32_t number)
{
    return (struct packet_in){ .cookie = (uint64_t) kind << 56 | number };
}

static unsigned
flood(struct packet_in_limit *l, const struct packet_in *in, unsigned n, int64_t now_ms)
{
    unsigned n_taken = 0;
    for (unsigned i = 0; i < n; i++)
        n_taken += packet_in_limit_take(l, in, now_ms);
    return n_taken;
}

static void
begin(struct packet_in_limit *l, struct random *r)
{
    packet_in_limit_init(l, random_u64(r), START_MS);
}

/* Each of the flooders sends a packet every millisecond, so the bucket is always empty; the quiet one uses all of its share at once, then again
 * as soon as it is whole. */
static void
a_quiet_owner_is_served_whoever_floods(void **unused)
{
    struct random r = random_seeded();
    struct packet_in_limit l;
    struct packet_in quiet = packet_of(4, QUIET);
    unsigned n_taken = 0, n_quiet = 0;

    begin(&l, &r);
    for (int64_t ms = 0; ms < SECONDS * 1000; ms++) {
        for (uint32_t i = 1; i <= FLOODERS; i++) {
            struct packet_in in = packet_of(4, i);
            n_taken += packet_in_limit_take(&l, &in, START_MS + ms);
        }
        if (ms % (1000 * LIMIT_PACKET_IN_BURST_PER_OWNER / LIMIT_PACKET_INS_PER_OWNER) == 0)
            n_quiet += flood(&l, &quiet, LIMIT_PACKET_IN_BURST_PER_OWNER, START_MS + ms);
    }
    assert_int_equal(n_quiet, SECONDS * LIMIT_PACKET_INS_PER_OWNER);
    assert_true(n_taken >= SECONDS * LIMIT_PACKET_INS_PER_SECOND);
    assert_true(n_taken <= BUCKET(SECONDS) + FLOODERS * SHARE(SECONDS));
}

/* One alone has the bucket and its own share, and no more. */
static void
what_one_owner_gets_is_bounded(void **unused)
{
    struct random r = random_seeded();
    struct packet_in_limit l;
    struct packet_in in = packet_of(4, 1);

    begin(&l, &r);
    assert_int_equal(flood(&l, &in, 5000, START_MS), LIMIT_PACKET_INS_PER_SECOND + LIMIT_PACKET_IN_BURST_PER_OWNER);
    assert_int_equal(flood(&l, &in, 5000, START_MS + 1000), LIMIT_PACKET_INS_PER_SECOND + LIMIT_PACKET_INS_PER_OWNER);
    assert_int_equal(flood(&l, &in, 5000, START_MS + 1001), LIMIT_PACKET_INS_PER_SECOND / 1000);
    assert_int_equal(flood(&l, &in, 5000, START_MS + 100000), LIMIT_PACKET_INS_PER_SECOND + LIMIT_PACKET_IN_BURST_PER_OWNER);
}

/* More owners than there are places, of whom each sends in bursts: every one of them is new, again and again. */
static void
all_together_are_bounded_however_many_owners_there_are(void **unused)
{
    struct random r = random_seeded();
    struct packet_in_limit l;
    unsigned n_taken = 0;

    begin(&l, &r);
    for (int64_t ms = 0; ms < 10000; ms++) {
        for (unsigned i = 0; i < 20; i++) {
            struct packet_in in = packet_of(4, random_below(&r, 10000));
            n_taken += flood(&l, &in, 1 + random_below(&r, 10), START_MS + ms);
        }
    }
    assert_true(n_taken > BUCKET(10));
    assert_true(n_taken <= BUCKET(10) + PACKET_IN_SHARES * SHARE(10));
}

/* Packets that wait in the switch bear the cookie of the first flow only, which many objects share: their metadata or userdata differ. */
static void
owners_differ_by_any_of_what_their_flows_say(void **unused)
{
    static const uint8_t one[] = { 1, 2, 192, 0, 2, 1 }, other[] = { 1, 2, 192, 0, 2, 2 };
    struct random r = random_seeded();
    struct packet_in_limit l;
    struct packet_in in = packet_of(10, 1);
    in.userdata = one;
    in.userdata_len = sizeof one;

    begin(&l, &r);
    flood(&l, &in, 5000, START_MS);
    assert_int_equal(flood(&l, &in, 1, START_MS), 0);
    in.packet_len = in.total_len = 100; /* which says nothing of the owner */
    in.in_port = 7;
    assert_int_equal(flood(&l, &in, 1, START_MS), 0);
    in.userdata = other;
    assert_int_equal(flood(&l, &in, 5000, START_MS), LIMIT_PACKET_IN_BURST_PER_OWNER);
    in.metadata = 17;
    assert_int_equal(flood(&l, &in, 5000, START_MS), LIMIT_PACKET_IN_BURST_PER_OWNER);
    in.cookie++;
    assert_int_equal(flood(&l, &in, 5000, START_MS), LIMIT_PACKET_IN_BURST_PER_OWNER);
}

static void
a_flood_of_one_kind_leaves_the_other_kinds_all_they_have(void **unused)
{
    struct random r = random_seeded();
    struct packet_in_limit l;
    struct packet_in dhcp = packet_of(4, 1), checked = packet_of(15, 1);

    begin(&l, &r);
    flood(&l, &dhcp, 5000, START_MS);
    assert_int_equal(flood(&l, &checked, 5000, START_MS), LIMIT_PACKET_INS_PER_SECOND + LIMIT_PACKET_IN_BURST_PER_OWNER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_owner_is_served_whoever_floods),
        cmocka_unit_test(what_one_owner_gets_is_bounded),
        cmocka_unit_test(all_together_are_bounded_however_many_owners_there_are),
        cmocka_unit_test(owners_differ_by_any_of_what_their_flows_say),
        cmocka_unit_test(a_flood_of_one_kind_leaves_the_other_kinds_all_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
