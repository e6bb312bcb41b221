/* The session against a scripted host: states, order of calls, refusals, hostile and silent peers. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ovsdb_owner.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "ofproto/ovsdb/jsonrpc.h"
#include "tests/unit/ovsdb_samples.h"
#include "tests/unit/random.h"

struct test {
    struct ovsdb_owner owner;
    struct bufferevent *host; /* the other end */
    struct jsonrpc_framer framer;
};

static const struct ovsdb_wanted wanted = { .dpid = 0xab, .controllers = { "tcp:192.0.2.100:6653" }, .geneve = true };

static void
test_init(struct test *t)
{
    struct bufferevent *pair[2];
    memset(t, 0, sizeof *t);
    ovsdb_owner_init(&t->owner);
    assert_int_equal(bufferevent_pair_new(t->owner.base, BEV_OPT_CLOSE_ON_FREE, pair), 0);
    t->host = pair[0];
    bufferevent_enable(t->host, EV_READ | EV_WRITE);
    jsonrpc_framer_init(&t->framer);
    ovsdb_owner_take(&t->owner, pair[1], "192.0.2.100");
}

static void
settle(struct test *t)
{
    for (int i = 0; i < 6; i++) /* a few turns of the loop: pair, session, wish, pair, answer */
        event_base_loop(t->owner.base, EVLOOP_NONBLOCK);
}

static void
test_done(struct test *t)
{
    if (t->owner.session)
        ovsdb_session_close(t->owner.session, "the test is over");
    OWNER_WAIT(&t->owner, !t->owner.session);
    bufferevent_free(t->host); /* takes effect in the loop */
    settle(t);
    ovsdb_owner_done(&t->owner);
    jsonrpc_framer_done(&t->framer);
}

static bool
take_message(struct test *t, struct jsonrpc_message *m)
{
    struct error err;
    bool is_whole;
    if (!jsonrpc_receive(&t->framer, bufferevent_get_input(t->host), m, &is_whole, &err))
        fail_msg("the session sent nonsense: %s", err.text);
    return is_whole;
}

/* Waits for the next message from the session, which must be this request, and returns its text with ' for ". */
static char *
expect_request(struct test *t, const char *method, json_int_t *id)
{
    struct jsonrpc_message m;
    OWNER_WAIT(&t->owner, take_message(t, &m));
    assert_int_equal(m.kind, JSONRPC_REQUEST);
    assert_string_equal(m.method, method);
    *id = json_integer_value(m.id);
    char *text = json_text(m.document);
    for (char *p = text; *p; p++)
        if (*p == '"')
            *p = '\'';
    jsonrpc_message_done(&m);
    return text;
}

static void
send_text(struct test *t, const char *text)
{
    json_t *json = sample_json(text);
    char *plain = json_text(json);
    bufferevent_write(t->host, plain, strlen(plain));
    free(plain);
    json_decref(json);
}

static void
reply(struct test *t, const char *method, const char *result)
{
    json_int_t id;
    free(expect_request(t, method, &id));
    char *text = mem_printf("{'id':%lld,'error':null,'result':%s}", (long long) id, result);
    send_text(t, text);
    free(text);
}

#define IDS "['system-id','hv1'],['vnet-encap-ip','192.0.2.11']"
#define ROOT(KIND, IDS_) "'Open_vSwitch':{'" SAMPLE_UUID("01") "':{'" KIND "':{'external_ids':['map',[" IDS_ "]]}}}"
#define BOUND                                                                                       \
    "'Bridge':{'" SAMPLE_UUID("11") "':{'initial':{'name':'br-int','ports':" SAMPLE_REF(            \
        "21") "}}},"                                                                                \
              "'Port':{'" SAMPLE_UUID("21") "':{'initial':{'name':'tap0','interfaces':" SAMPLE_REF( \
                  "31") "}}},"                                                                      \
                        "'Interface':{'" SAMPLE_UUID(                                               \
                            "31") "':{'initial':{'name':'tap0','ofport':3,'external_ids':['map',[['iface-id','web']]]}}}"
#define UPDATE(TABLES) "{'id':null,'method':'update2','params':['vnet',{" TABLES "}]}"

static void
host_shows(struct test *t, const char *tables)
{
    reply(t, "list_dbs", "['_Server','Open_vSwitch']");
    char *rows = mem_printf("{%s}", tables);
    reply(t, "monitor_cond", rows);
    free(rows);
}

static void
facts_come_before_interfaces_which_wait_for_a_wish(void **state)
{
    struct test t;
    char text[2048];
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(&t, ROOT("initial", IDS) "," BOUND);
    OWNER_WAIT(&t.owner, t.owner.n_ports);
    assert_int_equal(t.owner.n_facts, 1);
    assert_string_equal(t.owner.facts.system_id, "hv1");
    assert_string_equal(ovsdb_owner_bound(&t.owner, text), "web=tap0@3 ");
    assert_int_equal(t.owner.n_interfaces, 1);

    send_text(&t, UPDATE("'Interface':{'" SAMPLE_UUID("31") "':{'modify':{'ofport':4}}}"));
    OWNER_WAIT(&t.owner, t.owner.n_changed == 2);
    assert_string_equal(ovsdb_owner_bound(&t.owner, text), "web=tap0@4 ");
    send_text(&t, UPDATE("'Interface':{'" SAMPLE_UUID("31") "':{'delete':null}}"));
    OWNER_WAIT(&t.owner, !*ovsdb_owner_bound(&t.owner, text));
    send_text(&t, UPDATE(ROOT("modify", "['vnet-mtu','9000']")));
    OWNER_WAIT(&t.owner, t.owner.n_facts == 2);
    assert_int_equal(t.owner.facts.mtu, 9000);
    assert_int_equal(t.owner.n_configured, 0);
    test_done(&t);
}

#define UPLINKS(LIST) IDS ",['vnet-uplinks','" LIST "']"
#define CARD_IS(STATE) UPDATE("'Interface':{'" SAMPLE_UUID("32") "':{'modify':{'link_state':'" STATE "'}}}")

static void
uplinks_are_told_before_ports_and_when_a_card_or_the_list_changes(void **state)
{
    struct test t;
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(
        &t,
        ROOT("initial", UPLINKS("public:br-ex")) ",'Bridge':{'" SAMPLE_UUID("12") "':{'initial':{'name':'br-ex','ports':" SAMPLE_REF("22") "}}},'Port':{'" SAMPLE_UUID(
            "22") "':{'initial':{'name':'eth9','interfaces':" SAMPLE_REF("32") "}}},'Interface':{'" SAMPLE_UUID("32") "':{'initial':{'name':'eth9','link_state':'down'}}}");
    OWNER_WAIT(&t.owner, t.owner.n_ports);
    assert_int_equal(t.owner.n_uplinks_told, 1);
    assert_true(t.owner.uplinks[0].is_down && *t.owner.uplinks[0].cards);
    assert_string_equal(t.owner.uplinks[0].cards, "eth9");

    send_text(&t, CARD_IS("up"));
    OWNER_WAIT(&t.owner, t.owner.n_uplinks_told == 2);
    assert_false(t.owner.uplinks[0].is_down);
    send_text(&t, CARD_IS("up"));
    settle(&t);
    assert_int_equal(t.owner.n_uplinks_told, 2);
    send_text(&t, CARD_IS("down"));
    OWNER_WAIT(&t.owner, t.owner.n_uplinks_told == 3);

    send_text(&t, UPDATE("'Open_vSwitch':{'" SAMPLE_UUID(
                      "01") "':{'modify':{'external_ids':['map',[['vnet-uplinks','other:br-no,public:br-ex']]]}}}"));
    OWNER_WAIT(&t.owner, t.owner.n_uplinks_told == 4);
    assert_true(!t.owner.uplinks[0].is_down && t.owner.uplinks[1].is_down);
    test_done(&t);
}

static void
an_older_server_is_asked_in_the_older_way(void **state)
{
    struct test t;
    json_int_t id;
    test_init(&t);
    reply(&t, "list_dbs", "['Open_vSwitch']");
    free(expect_request(&t, "monitor_cond", &id));
    send_text(&t, "{'id':2,'result':null,'error':'unknown method'}");
    reply(&t, "monitor", "{" ROOT("new", IDS) "}");
    OWNER_WAIT(&t.owner, t.owner.n_facts);
    send_text(&t,
              "{'id':null,'method':'update','params':['vnet',{" ROOT("new", "['system-id','hv2'],['vnet-encap-ip','192.0.2.11']") "}]}");
    OWNER_WAIT(&t.owner, t.owner.n_facts == 2);
    assert_string_equal(t.owner.facts.system_id, "hv2");
    test_done(&t);
}

static void
a_refused_transaction_is_told_and_tried_again_when_rows_change(void **state)
{
    struct test t;
    json_int_t id;
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(&t, ROOT("initial", IDS));
    char *ops = expect_request(&t, "transact", &id);
    assert_non_null(strstr(ops, "['Open_vSwitch',{'op':'insert','table':'Interface'"));
    free(ops);
    send_text(&t, "{'id':17,'error':null,'result':[{},{'error':'constraint violation','details':'no room\\u0007'}]}");
    OWNER_WAIT(&t.owner, t.owner.n_configured);
    assert_false(t.owner.is_configured);
    assert_non_null(strstr(t.owner.reason, "no room\\x07"));

    int64_t start_ms = ovsdb_owner_now_ms();
    send_text(&t, UPDATE("'Port':{'" SAMPLE_UUID("29") "':{'insert':{'name':'eth9'}}}"));
    free(expect_request(&t, "transact", &id));
    assert_int_equal(id, 18);
    assert_true(ovsdb_owner_now_ms() - start_ms < 900);

    send_text(&t, "{'id':18,'error':'not now','result':null}");
    OWNER_WAIT(&t.owner, strstr(t.owner.reason, "not now"));
    start_ms = ovsdb_owner_now_ms();
    free(expect_request(&t, "transact", &id));
    assert_true(ovsdb_owner_now_ms() - start_ms >= 900);
    test_done(&t);
}

static void
a_transaction_without_effect_is_not_repeated_at_once(void **state)
{
    struct test t;
    json_int_t id;
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(&t, ROOT("initial", IDS));
    for (int i = 0; i < 2; i++) {
        int64_t start_ms = ovsdb_owner_now_ms();
        free(expect_request(&t, "transact", &id));
        assert_true(!i || ovsdb_owner_now_ms() - start_ms >= 900);
        char *text = mem_printf("{'id':%lld,'error':null,'result':[]}", (long long) id);
        send_text(&t, text);
        free(text);
    }
    assert_int_equal(t.owner.n_configured, 0);
    test_done(&t);
}

static void
facts_with_an_error_are_told_and_nothing_is_configured_until_they_are_right(void **state)
{
    struct test t;
    char text[2048];
    json_int_t id;
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(&t, ROOT("initial", "['system-id','hv1']") "," BOUND);
    OWNER_WAIT(&t.owner, t.owner.n_facts);
    assert_non_null(strstr(t.owner.facts.error, "vnet-encap-ip"));
    send_text(&t, "{'id':'x','method':'echo','params':[1,'a']}");
    struct jsonrpc_message m;
    OWNER_WAIT(&t.owner, take_message(&t, &m)); /* nothing was sent before this answer */
    assert_int_equal(m.kind, JSONRPC_REPLY);
    assert_int_equal(json_array_size(m.result), 2);
    jsonrpc_message_done(&m);
    assert_int_equal(t.owner.n_interfaces, 0);

    send_text(&t, UPDATE(ROOT("modify", "['vnet-encap-ip','192.0.2.11']")));
    OWNER_WAIT(&t.owner, t.owner.n_firsts);
    assert_string_equal(ovsdb_owner_bound(&t.owner, text), "web=tap0@3 ");
    free(expect_request(&t, "transact", &id));

    /* Wrong again: the interfaces of the bridge are told on. */
    send_text(&t,
              UPDATE(ROOT("modify", "['vnet-encap-ip','192.0.2.11']") ",'Interface':{'" SAMPLE_UUID("31") "':{'modify':{'ofport':8}}}"));
    OWNER_WAIT(&t.owner, *t.owner.facts.error);
    assert_string_equal(ovsdb_owner_bound(&t.owner, text), "web=tap0@8 ");
    test_done(&t);
}

static void
an_owner_that_refuses_the_facts_ends_the_session_with_its_reason(void **state)
{
    struct test t;
    test_init(&t);
    t.owner.refusal = "host 'hv1' is connected already from 192.0.2.99";
    host_shows(&t, ROOT("initial", IDS));
    OWNER_WAIT(&t.owner, t.owner.n_closed);
    assert_string_equal(t.owner.closed_reason, t.owner.refusal);
    assert_int_equal(t.owner.n_interfaces, 0);
    test_done(&t);
}

static void
an_owner_may_close_from_within_any_call(void **state)
{
    for (unsigned when = 0; when < 4; when++) {
        struct test t;
        test_init(&t);
        t.owner.wanted = &wanted;
        host_shows(&t, ROOT("initial", IDS) "," BOUND);
        if (when == 0)
            t.owner.closes_when_told = true;
        OWNER_WAIT(&t.owner, t.owner.n_facts);
        if (when == 1) {
            t.owner.closes_when_told = true;
            send_text(&t, UPDATE("'Interface':{'" SAMPLE_UUID("31") "':{'modify':{'ofport':4}}}"));
        } else if (when == 2) {
            t.owner.closes_when_told = true;
            send_text(&t, UPDATE(ROOT("modify", "['vnet-mtu','9000']")));
        } else if (when == 3) {
            ovsdb_session_close(t.owner.session, "the owner has had enough");
            ovsdb_session_close(t.owner.session, "again");
            assert_int_equal(t.owner.n_closed, 0);
        }
        OWNER_WAIT(&t.owner, t.owner.n_closed);
        assert_string_equal(t.owner.closed_reason, "the owner has had enough");
        test_done(&t);
    }
}

static void
what_a_host_must_not_send_ends_the_session_with_a_sentence(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "[]", "should begin with '{'" },
        { "{'id':1,'error':null,'result':['other']}", "no database Open_vSwitch" },
        { "{'id':1,'error':'no','result':null}", "no database Open_vSwitch" },
        { "{'id':1,'error':null,'result':7}", "no database Open_vSwitch" },
        { "{'id':99,'error':null,'result':[]}", "was not asked" },
        { "{'id':'1','error':null,'result':[]}", "was not asked" },
        { "{'id':17,'error':null,'result':[]}", "was not asked" },
        { "{'id':null,'method':'update2','params':['vnet',{}]}", "was not asked for" },
        { "{'id':null,'method':'monitor_canceled','params':['vnet']}", "no longer shows" },
        { "{'x':1}", "neither a request" },
        { "{'a'}", "is not JSON" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test t;
        test_init(&t);
        char *text = mem_strdup(cases[i].text);
        for (char *p = text; *p; p++)
            if (*p == '\'')
                *p = '"';
        bufferevent_write(t.host, text, strlen(text));
        free(text);
        OWNER_WAIT(&t.owner, t.owner.n_closed);
        if (!strstr(t.owner.closed_reason, cases[i].said))
            fail_msg("'%s' does not say '%s'", t.owner.closed_reason, cases[i].said);
        test_done(&t);
    }
}

static void
a_host_that_asks_much_and_reads_nothing_is_left(void **state)
{
    struct test t;
    struct bytes big = BYTES_INIT;
    test_init(&t);
    bufferevent_disable(t.host, EV_READ);
    static const char head[] = "{\"id\":1,\"method\":\"echo\",\"params\":[\"", tail[] = "\"]}";
    bytes_put(&big, head, strlen(head));
    memset(bytes_extend(&big, 1 << 20), 'x', 1 << 20);
    bytes_put(&big, tail, strlen(tail));
    for (int i = 0; i < 8; i++)
        bufferevent_write(t.host, big.data, big.n);
    OWNER_WAIT(&t.owner, t.owner.n_closed);
    assert_non_null(strstr(t.owner.closed_reason, "does not read"));
    bytes_done(&big);
    test_done(&t);
}

static void
a_host_that_hangs_up_is_told_as_closed(void **state)
{
    struct test t;
    test_init(&t);
    t.owner.wanted = &wanted;
    host_shows(&t, ROOT("initial", IDS));
    OWNER_WAIT(&t.owner, t.owner.n_ports);
    bufferevent_flush(t.host, EV_WRITE, BEV_FINISHED);
    OWNER_WAIT(&t.owner, t.owner.n_closed);
    assert_non_null(strstr(t.owner.closed_reason, "closed the connection"));
    test_done(&t);
}

static bool
answers_echo(struct test *t)
{
    struct jsonrpc_message m;
    while (take_message(t, &m)) {
        if (m.kind == JSONRPC_REQUEST && !strcmp(m.method, "echo"))
            jsonrpc_send_reply(t->host, m.id, json_array());
        jsonrpc_message_done(&m);
    }
    return true;
}

static void
silence_ends_a_session_and_answers_to_probes_keep_it(void **state)
{
    struct test mute, no_row, silent, alive;
    test_init(&mute);
    test_init(&no_row);
    test_init(&silent);
    test_init(&alive);
    host_shows(&no_row, "");
    host_shows(&silent, ROOT("initial", IDS));
    host_shows(&alive, ROOT("initial", IDS));
    OWNER_WAIT(&silent.owner, silent.owner.n_facts);
    OWNER_WAIT(&alive.owner, alive.owner.n_facts);

    int64_t start_ms = ovsdb_owner_now_ms();
    bool all = false;
    while (!all && ovsdb_owner_now_ms() - start_ms < LIMIT_HANDSHAKE_MS + 3000) {
        ovsdb_owner_run(&mute.owner);
        ovsdb_owner_run(&silent.owner);
        ovsdb_owner_run(&no_row.owner);
        ovsdb_owner_run(&alive.owner);
        all = answers_echo(&no_row) && answers_echo(&alive) && mute.owner.n_closed && silent.owner.n_closed && no_row.owner.n_closed
              && ovsdb_owner_now_ms() - start_ms > LIMIT_HANDSHAKE_MS + 1000;
    }
    assert_true(ovsdb_owner_now_ms() - start_ms >= LIMIT_HANDSHAKE_MS - 200);
    assert_non_null(strstr(silent.owner.closed_reason, "silent"));
    assert_non_null(strstr(no_row.owner.closed_reason, "no Open_vSwitch row"));
    assert_true(*mute.owner.closed_reason);
    assert_int_equal(alive.owner.n_closed, 0);
    test_done(&mute);
    test_done(&no_row);
    test_done(&silent);
    test_done(&alive);
}

/* --- Mutations of a whole session --- */

static const char *const recorded[] = {
    "{'id':1,'error':null,'result':['_Server','Open_vSwitch']}",
    "{'id':2,'error':null,'result':{'Open_vSwitch':{'" SAMPLE_UUID(
        "01") "':{'initial':{'external_ids':['map',[" IDS
              ",['vnet-uplinks','public:br-ex']]],'bridges':" SAMPLE_REF("12") ",'manager_options':" SAMPLE_REF(
                  "51") "}}},"
                        "'Bridge':{'" SAMPLE_UUID(
                            "12") "':{'initial':{'name':'br-ex','datapath_type':'system','other_config':['map',[['a','b']]],"
                                  "'ports':['set',[]]}}},'Manager':{'" SAMPLE_UUID(
                                      "51") "':{'initial':{'target':'tcp:192.0.2.100:6640','is_connected':true,"
                                            "'max_backoff':['set',[]]}}}}}",
    "{'id':null,'method':'update2','params':['vnet',{'Bridge':{'" SAMPLE_UUID(
        "11") "':{'insert':{'name':'br-int','protocols':"
              "['set',['OpenFlow10','OpenFlow15']],'fail_mode':'secure','ports':['set',[" SAMPLE_REF("21") "," SAMPLE_REF(
                  "22") "]],"
                        "'controller':" SAMPLE_REF("41") "}}},'Port':{'" SAMPLE_UUID("21") "':{'insert':{'name':'tap0','interfaces':" SAMPLE_REF("31") "}},'" SAMPLE_UUID("22") "':{'insert':{'name':'vnet-geneve','interfaces':" SAMPLE_REF(
                            "32") ",'external_ids':['map',[['vnet','1']]]}}},'Controller':{'" SAMPLE_UUID("41") "':{'insert':{'target':"
                                                                                                                "'tcp:192.0.2.100:6653'}}},'Interface':{'" SAMPLE_UUID(
                                                                                                                    "31") "':{'insert':{'name':'tap0','external_ids':['map',"
                                                                                                                          "[['iface-id','web'],['attached-mac','52:54:00:00:00:01']]]}},'" SAMPLE_UUID(
                                                                                                                              "32") "':{'insert':{'name':'vnet-geneve',"
                                                                                                                                    "'type':'geneve','options':['map',[['remote_ip','flow'],['key','flow']]]}}}}]}",
    "{'id':17,'error':null,'result':[{},{'uuid':" SAMPLE_REF("31") "},{'count':1},{'error':'constraint violation','details':'x'}]}",
    "{'id':'echo','method':'echo','params':[]}",
    "{'id':null,'method':'update2','params':['vnet',{'Interface':{'" SAMPLE_UUID("31") "':{'modify':{'ofport':5,'error':'bad'}},'" SAMPLE_UUID(
        "32") "':{'modify':{'ofport':1}}},'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'ports':" SAMPLE_REF("21") "}}}}]}",
    "{'id':18,'error':null,'result':[{}]}",
    "{'id':null,'method':'update2','params':['vnet',{'Port':{'" SAMPLE_UUID("21") "':{'delete':null}},'Interface':{'" SAMPLE_UUID(
        "31") "':{'delete':null}},'Open_vSwitch':{'" SAMPLE_UUID("01") "':{'modify':{'external_ids':['map',"
                                                                       "[['vnet-bridge','br-ex'],['vnet-uplinks','public:br-ex']]]}}}}]}",
};
enum { N_RECORDED = sizeof recorded / sizeof *recorded };

static json_t *
random_value(struct random *r)
{
    static const char *const texts[] = { "set", "map", "uuid", "", "br-int", "1", SAMPLE_UUID("31"), "vnet", "\x01\n" };
    switch (random_below(r, 9)) {
    case 0: return json_null();
    case 1: return json_boolean(random_below(r, 2));
    case 2: return json_integer((json_int_t) random_u64(r));
    case 3: return json_integer(random_below(r, 3));
    case 4: return json_real(1.5);
    case 5: return json_array();
    case 6: return json_object();
    case 7: return json_pack("[s,[]]", texts[random_below(r, 3)]);
    default: return json_string(texts[random_below(r, sizeof texts / sizeof *texts)]);
    }
}

/* Replaces, removes or doubles something somewhere inside. */
static void
mutate_json(json_t *json, struct random *r)
{
    size_t n = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    if (!n)
        return;
    size_t at = random_below(r, n);
    bool is_here = !random_below(r, 4);
    if (json_is_array(json)) {
        json_t *child = json_array_get(json, at);
        if (!is_here && (json_is_array(child) || json_is_object(child)))
            mutate_json(child, r);
        else if (!random_below(r, 4))
            json_array_remove(json, at);
        else if (!random_below(r, 4))
            json_array_append(json, child);
        else
            json_array_set_new(json, at, random_value(r));
        return;
    }
    void *iter = json_object_iter(json);
    while (at-- > 0)
        iter = json_object_iter_next(json, iter);
    json_t *child = json_object_iter_value(iter);
    char *key = mem_strdup(json_object_iter_key(iter));
    if (!is_here && (json_is_array(child) || json_is_object(child)))
        mutate_json(child, r);
    else if (!random_below(r, 3))
        json_object_del(json, key);
    else
        json_object_set_new(json, key, random_value(r));
    free(key);
}

static char *
mutated(const char *sample, struct random *r, bool by_bytes)
{
    json_t *json = sample_json(sample);
    if (!by_bytes && !random_below(r, 3))
        mutate_json(json, r);
    char *text = json_text(json);
    for (size_t n = strlen(text), k = by_bytes ? random_below(r, 3) : 0; k-- > 0;)
        text[random_below(r, n)] = random_below(r, 4) ? "{}[]\",:0aZ\\"[random_below(r, 11)] : (char) (1 + random_below(r, 255));
    json_decref(json);
    return text;
}

/* How far mutated sessions went: else the test may prove nothing. */
struct reached {
    int facts, interfaces, configured, closed;
};

static void
one_mutated_session(struct random *r, struct reached *reached)
{
    struct test t;
    test_init(&t);
    t.owner.wanted = &wanted;
    bool by_bytes = random_below(r, 2);
    settle(&t);
    for (int i = 0; i < N_RECORDED && !t.owner.n_closed; i++) {
        int which = random_below(r, 30) ? i : (int) random_below(r, N_RECORDED);
        char *text = mutated(recorded[which], r, by_bytes);
        size_t n = strlen(text), cut = random_below(r, n);
        bufferevent_write(t.host, text, cut);
        if (random_below(r, 2))
            settle(&t);
        bufferevent_write(t.host, text + cut, n - cut);
        settle(&t);
        free(text);
    }
    reached->facts += t.owner.n_facts > 0;
    reached->interfaces += t.owner.n_changed > 0;
    reached->configured += t.owner.n_configured > 0;
    reached->closed += t.owner.n_closed > 0;
    test_done(&t);
}

static void
mutated_sessions_end_or_go_on_but_never_crash(void **state)
{
    struct random r = { 7047 };
    struct reached reached = { 0 };
    enum { ROUNDS = 4000 };
    for (int i = 0; i < ROUNDS; i++)
        one_mutated_session(&r, &reached);
    print_message("of %d: %d told facts, %d interfaces, %d a configuration; %d were closed\n", ROUNDS, reached.facts, reached.interfaces,
                  reached.configured, reached.closed);
    assert_true(reached.facts > ROUNDS / 4 && reached.interfaces > ROUNDS / 8 && reached.configured > ROUNDS / 8);
    assert_in_range(reached.closed, ROUNDS / 8, ROUNDS - ROUNDS / 8);
}

int
main(void)
{
    char why[100];
    log_init("test");
    log_spec("emer", why, sizeof why);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_before_interfaces_which_wait_for_a_wish),
        cmocka_unit_test(uplinks_are_told_before_ports_and_when_a_card_or_the_list_changes),
        cmocka_unit_test(an_older_server_is_asked_in_the_older_way),
        cmocka_unit_test(a_refused_transaction_is_told_and_tried_again_when_rows_change),
        cmocka_unit_test(a_transaction_without_effect_is_not_repeated_at_once),
        cmocka_unit_test(facts_with_an_error_are_told_and_nothing_is_configured_until_they_are_right),
        cmocka_unit_test(an_owner_that_refuses_the_facts_ends_the_session_with_its_reason),
        cmocka_unit_test(an_owner_may_close_from_within_any_call),
        cmocka_unit_test(what_a_host_must_not_send_ends_the_session_with_a_sentence),
        cmocka_unit_test(a_host_that_asks_much_and_reads_nothing_is_left),
        cmocka_unit_test(a_host_that_hangs_up_is_told_as_closed),
        cmocka_unit_test(mutated_sessions_end_or_go_on_but_never_crash),
        cmocka_unit_test(silence_ends_a_session_and_answers_to_probes_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
