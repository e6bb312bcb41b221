/* A model to try operations on, for tests: JSON is written with single quotes, randomness is repeatable. */
#ifndef TESTS_UNIT_MODEL_LAB_H
#define TESTS_UNIT_MODEL_LAB_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/model/index.h"
#include "vnet/model/model_json.h"

#define LAB_NOW_MS INT64_C(1795344000123) /* 2026-11-22T12:00:00.123Z */

struct lab {
    struct model *m;
    struct transaction *t;
    struct random random;
    struct principal who;
    struct error err; /* of the last refusal */
};

static inline void
lab_random(void *lab, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = random_u64(&((struct lab *) lab)->random);
}

static inline void
lab_init(struct lab *lab)
{
    *lab = (struct lab){ .m = model_new(), .random = { 1 }, .who = { .role = PRINCIPAL_ADMIN, .name = "test" } };
}

static inline void
lab_done(struct lab *lab)
{
    transaction_abort(lab->t);
    model_free(lab->m);
}

static inline void
lab_begin_as(struct lab *lab, const char *tenant)
{
    struct transaction_origin origin = {
        .principal = lab->who, .tenant = tenant, .now_ms = LAB_NOW_MS, .random = lab_random, .random_aux = lab
    };
    lab->t = transaction_begin(lab->m, &origin);
}

static inline void
lab_begin(struct lab *lab)
{
    lab_begin_as(lab, NULL);
}

static inline json_t *
lab_json(const char *text)
{
    struct error err;
    char *copy = strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_parse(copy, strlen(copy), "test", &err);
    if (!json)
        fail_msg("%s: %s", text, err.text);
    free(copy);
    return json;
}

/* One operation in the open transaction. */
static inline bool
lab_try(struct lab *lab, json_t **result, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_t *op = lab_json(text);
    bool ok = transaction_op(lab->t, op, result, &lab->err);
    json_decref(op);
    return ok;
}

static inline void
lab_abort(struct lab *lab)
{
    transaction_abort(lab->t);
    lab->t = NULL;
}

static inline void
lab_commit(struct lab *lab)
{
    if (!transaction_finish(lab->t, &lab->err))
        fail_msg("%s", lab->err.text);
    transaction_commit(lab->t);
    transaction_free(lab->t);
    lab->t = NULL;
}

/* For cmocka's set-up: a lab that is *state, with a transaction begun; lab_ready() commits it; lab_teardown() ends both. */
static inline struct lab *
lab_setup(void **state)
{
    struct lab *lab = malloc(sizeof *lab);
    lab_init(lab);
    lab_begin(lab);
    *state = lab;
    return lab;
}

static inline int
lab_ready(struct lab *lab)
{
    lab_commit(lab);
    return 0;
}

static inline int
lab_teardown(void **state)
{
    lab_done(*state);
    free(*state);
    return 0;
}

/* In the open transaction, or one of its own. */
#define lab_do(LAB, ...)                      \
    do {                                      \
        bool is_alone = !(LAB)->t;            \
        if (is_alone)                         \
            lab_begin(LAB);                   \
        if (!lab_try(LAB, NULL, __VA_ARGS__)) \
            fail_msg("%s", (LAB)->err.text);  \
        if (is_alone)                         \
            lab_commit(LAB);                  \
    } while (0)

/* A transaction of its own that must be refused with this code and this text somewhere in the message. */
#define lab_refuse(LAB, CODE, TEXT, ...)                                                                    \
    do {                                                                                                    \
        lab_begin(LAB);                                                                                     \
        if (lab_try(LAB, NULL, __VA_ARGS__) && transaction_finish((LAB)->t, &(LAB)->err))                   \
            fail_msg("accepted, not refused with: %s", TEXT);                                               \
        lab_abort(LAB);                                                                                     \
        if (!strstr((LAB)->err.text, TEXT) || (LAB)->err.code != (CODE))                                    \
            fail_msg("[%s] %s\n  instead of: %s", error_code_name((LAB)->err.code), (LAB)->err.text, TEXT); \
    } while (0)

/* Short forms for what most tests start with. */
#define OP_VPC "{'op':'add','type':'vpc','name':'%s','values':{'cidr':'%s'}}"
#define OP_SUBNET "{'op':'add','type':'subnet','name':'%s','values':{'vpc':'%s','cidr':'%s'}}"
#define OP_PORT "{'op':'add','type':'port','name':'%s','values':{'subnet':'%s'}}"
#define OP_PORT_IP "{'op':'add','type':'port','name':'%s','values':{'subnet':'%s','ip':'%s'}}"
#define OP_RTB "{'op':'add','type':'rtb','name':'%s','values':{'vpc':'%s'}}"
#define OP_ROUTE "{'op':'add','type':'route','values':{'rtb':'%s','prefix':'%s','target':'%s'}}"
#define OP_DEL "{'op':'del','type':'%s','name':'%s'}"

static inline const struct object *
lab_find(const struct lab *lab, enum object_type type, const char *name)
{
    const struct object_class *class = object_class(type);
    return model_find(lab->m, type, class->has_tenant ? TENANT_DEFAULT_NUMBER : 0, name);
}

static inline const struct port *
lab_port(const struct lab *lab, const char *name)
{
    const struct object *o = lab_find(lab, OBJECT_PORT, name);
    assert_non_null(o);
    return model_port(lab->m, o->number);
}

/* A column as text; strings without quotes. Valid until the next call. */
static inline const char *
lab_column(const struct lab *lab, enum object_type type, const char *name, const char *column)
{
    static char text[1000];
    const struct object *o = lab_find(lab, type, name);
    const char *names[] = { column };
    struct json_columns columns = { .names = names, .n = 1 };
    assert_non_null(o);
    json_t *json = object_json(lab->m, o, &columns);
    json_t *value = json_object_get(json, column);
    char *dumped = json_is_string(value) ? strdup(json_string_value(value)) : json_text(value);
    snprintf(text, sizeof text, "%s", dumped);
    free(dumped);
    json_decref(json);
    return text;
}

/* For cmocka, a lab to begin with: VPCs a and b, both 10.0.0.0/16; in a the subnets web and db, the route table extra, the port web1. */
static inline int
lab_setup_two_vpcs(void **state)
{
    struct lab *lab = lab_setup(state);
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, OP_VPC, "b", "10.0.0.0/16");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.1.0/24");
    lab_do(lab, OP_SUBNET, "db", "a", "10.0.2.0/29");
    lab_do(lab, OP_RTB, "extra", "a");
    lab_do(lab, OP_PORT, "web1", "web");
    return lab_ready(lab);
}

#endif
