/* Which gateways are dead: scripts of who sees whom. */
#include "controller/host/gateway_liveness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Gateways are A to I, hosts a to i; "A>B-" is A saying that B is down, "a>B+" that it is up. Before and after: letters of the dead, "B?"
 * if that is doubtful; a gateway in brackets is not connected. */
struct script {
    const char *gateways, *dead, *views, *dead_after;
};

static void
play(const struct script *s)
{
    struct gateway_state gateways[9];
    struct gateway_view views[32];
    size_t n = 0, n_views = 0;
    for (const char *p = s->gateways; *p; p++)
        if (*p != '(' && *p != ')')
            gateways[n++] = (struct gateway_state){ .host = *p, .is_connected = p[1] != ')', .is_dead = strchr(s->dead, *p) };
    for (const char *p = s->views; p[0] && p[1] && p[2] && p[3]; p += p[4] ? 5 : 4)
        views[n_views++] = (struct gateway_view){ p[0], p[2], p[3] == '+' };
    gateway_liveness_judge(gateways, n, views, n_views);

    char dead[20] = "";
    for (size_t i = 0; i < n; i++) {
        if (gateways[i].is_dead)
            dead[strlen(dead)] = gateways[i].host;
        if (gateways[i].is_doubtful)
            dead[strlen(dead)] = '?';
    }
    if (strcmp(dead, s->dead_after))
        fail_msg("%s, dead '%s', views '%s': dead '%s' instead of '%s'", s->gateways, s->dead, s->views, dead, s->dead_after);
}

#define PLAY(...)                                                     \
    do {                                                              \
        static const struct script scripts[] = { __VA_ARGS__ };       \
        for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) \
            play(&scripts[i]);                                        \
    } while (0)

static void
more_must_say_down_than_up(void **state)
{
    PLAY({ "ABC", "", "A>B+ B>A+ A>C+ C>A+ B>C+ C>B+", "" }, { "AB(C)", "", "A>C- B>C- A>B+ B>A+", "C" },
         { "AB(C)", "", "A>C- B>C- a>C+ A>B+ B>A+", "C" }, { "ABC", "", "A>C- a>C+ A>B+ B>A+", "" },
         { "AB(C)", "C", "A>C+ B>C+ A>B+ B>A+", "" });
}

static void
who_sees_nobody_accuses_nobody(void **state)
{
    /* A's link broke: it loses everybody, and the others lose only it. */
    PLAY({ "ABC", "", "A>B- A>C- B>A- C>A- B>C+ C>B+", "A" }, { "AB", "", "A>B- B>A- a>A-", "A" }, { "AB", "", "A>B- B>A- a>A- a>B+", "A" },
         { "ABCD", "", "A>B- A>C- A>D- B>A- C>A- D>A- B>C+ C>B+ B>D+ D>B+ C>D+ D>C+", "A" });
}

static void
word_against_word_changes_nothing(void **state)
{
    PLAY({ "AB", "", "A>B- B>A-", "" }, { "AB", "A", "A>B- B>A-", "A" },
         /* And a third that both have lost is dead all the same. */
         { "AB(C)", "", "A>B- B>A- A>C- B>C-", "C" });
}

static void
who_comes_back_takes_nobody_along(void **state)
{
    /* Its peers have seen it before it has seen them. */
    PLAY({ "AB", "A", "A>B- B>A+", "" }, { "AB", "", "A>B- B>A+", "B?" }, { "ABC", "A", "A>B- A>C- B>A+ C>A- B>C+ C>B+", "" });
}

static void
who_would_not_be_dead_if_it_said_the_same_is_doubtful(void **state)
{
    PLAY({ "AB", "", "A>B- B>A+", "B?" }, { "AB", "", "A>B-", "B" }, { "A(B)", "", "A>B-", "B" },
         /* Both see one more, or others see one of them, or both. */
         { "ABC", "", "A>B- B>A+ A>C+ C>A+ B>C+ C>B+", "" }, { "AB", "", "A>B- B>A+ a>B-", "B" }, { "AB", "", "A>B- B>A+ a>A+", "B" },
         { "AB", "", "A>B- B>A+ a>A+ a>B+", "" },
         /* The network falls into two halves, and one has noticed. */
         { "ABCD", "", "A>B+ B>A+ C>D+ D>C+ A>C- A>D- B>C- B>D- C>A+ C>B+ D>A+ D>B+", "C?D?" });
}

static void
two_may_die_at_once(void **state)
{
    PLAY({ "A(B)(C)", "", "A>B- A>C- a>B- a>C-", "BC" }, { "AB(C)(D)", "", "A>C- A>D- B>C- B>D- A>B+ B>A+", "CD" });
}

static void
without_a_view_it_is_as_it_was(void **state)
{
    PLAY({ "AB", "", "", "" }, { "A(B)", "B", "", "B" }, { "AB", "A", "A>B+", "A" }, { "A(B)", "", "A>B-", "B" },
         { "A", "", "x>Z- a>Z-", "" });
}

static void
if_all_would_be_dead_those_in_reach_that_nobody_accuses_live(void **state)
{
    /* A died long ago and came back unseen; then B dies. */
    PLAY({ "A(B)", "A", "a>B-", "B" }, { "(A)(B)", "A", "a>B-", "AB" }, { "AB", "", "a>A- a>B-", "AB" }, { "A", "A", "", "" },
         { "A", "", "a>A-", "A" });
}

static void
no_gateways_no_verdict(void **state)
{
    gateway_liveness_judge(NULL, 0, NULL, 0);
    gateway_liveness_judge(NULL, 0, (struct gateway_view[]){ { 1, 2, false } }, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_must_say_down_than_up),
        cmocka_unit_test(who_sees_nobody_accuses_nobody),
        cmocka_unit_test(word_against_word_changes_nothing),
        cmocka_unit_test(who_comes_back_takes_nobody_along),
        cmocka_unit_test(who_would_not_be_dead_if_it_said_the_same_is_doubtful),
        cmocka_unit_test(two_may_die_at_once),
        cmocka_unit_test(without_a_view_it_is_as_it_was),
        cmocka_unit_test(if_all_would_be_dead_those_in_reach_that_nobody_accuses_live),
        cmocka_unit_test(no_gateways_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
