/* Commands are parsed one by one. A change becomes text at once and is forgotten, so that a large batch stays small; a read is kept, with
 * the arena its words are in, until its turn. */
#include "tools/vnetctl/invocation.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "tools/vnetctl/batch.h"
#include "tools/vnetctl/transaction.h"

struct kept_call {
    struct call call;
    struct arena *arena;
};

struct invocation {
    const struct options *options;
    struct transaction changes;
    struct kept_call *kept; /* reads, or all of them local */
    size_t n_kept, cap_kept, n_local;
    struct arena *arena; /* of the line being parsed */
};

static void
invocation_init(struct invocation *inv, const struct options *o)
{
    *inv = (struct invocation){ .options = o, .arena = arena_new() };
    transaction_init(&inv->changes);
}

static void
invocation_done(struct invocation *inv)
{
    for (size_t i = 0; i < inv->n_kept; i++)
        if (inv->kept[i].arena != inv->arena && (!i || inv->kept[i].arena != inv->kept[i - 1].arena))
            arena_free(inv->kept[i].arena);
    free(inv->kept);
    arena_free(inv->arena);
    transaction_done(&inv->changes);
}

static void
call_keep(struct invocation *inv, const struct call *call)
{
    inv->kept = mem_grow(inv->kept, &inv->cap_kept, inv->n_kept + 1, sizeof *inv->kept);
    inv->kept[inv->n_kept++] = (struct kept_call){ *call, inv->arena };
    inv->n_local += call->command->local != NULL;
}

static bool
command_take(struct invocation *inv, char *const *words, size_t n, unsigned options, size_t line, struct error *err)
{
    struct call call;
    if (!call_parse(&call, words, n, options, inv->arena, err))
        return false;
    call.line = line;
    if (!call.command->change) {
        call_keep(inv, &call);
        return true;
    }
    return transaction_add_call(&inv->changes, &call, err);
}

/* Words with "--" between commands. A leading one is allowed, as after options. */
static bool
words_take(struct invocation *inv, char *const *words, size_t n, size_t line, struct error *err)
{
    unsigned options = line ? 0 : inv->options->command_options;
    size_t n_kept = inv->n_kept;
    for (;;) {
        size_t one = words_to_separator(words, n);
        if (!command_take(inv, words, one, options, line, err))
            return line ? error_prefix(err, "line %zu", line) : false;
        if (one == n)
            break;
        words += one + 1;
        n -= one + 1;
        options = 0;
    }
    if (inv->n_kept > n_kept)
        inv->arena = arena_new(); /* the kept ones have the old one */
    else
        arena_reset(inv->arena);
    return true;
}

static bool
batch_take(struct invocation *inv, struct error *err)
{
    struct batch *batch = batch_open(inv->options->batch, err);
    struct batch_line line = { .n = 1 };
    bool is_ok = batch != NULL;
    while (is_ok && line.n) {
        is_ok = batch_next(batch, &line, inv->arena, err);
        if (is_ok && line.n)
            is_ok = words_take(inv, line.words, line.n, line.number, err);
    }
    batch_close(batch);
    return is_ok;
}

static bool
locals_run(struct invocation *inv, struct error *err)
{
    if (inv->changes.n || inv->n_local < inv->n_kept)
        return error_set(err, ERROR_INVALID, "pki works without the daemon: run it apart from other commands");
    for (size_t i = 0; i < inv->n_kept; i++) {
        const struct call *call = &inv->kept[i].call;
        if (!call->command->local(inv->options, call, err))
            return origin_error((struct origin){ call->command, call->line }, err);
    }
    return true;
}

static bool
reads_run(struct invocation *inv, struct client *client, struct error *err)
{
    for (size_t i = 0; i < inv->n_kept; i++) {
        const struct call *call = &inv->kept[i].call;
        if (!call->command->read(client, call, err))
            return err->code == ERROR_UNAVAILABLE ? false : origin_error((struct origin){ call->command, call->line }, err);
    }
    return true;
}

static bool
remote_run(struct invocation *inv, int *exit_status, struct error *err)
{
    struct client client;
    if (!inv->changes.n && !inv->n_kept)
        return true;
    if (!client_init(&client, inv->options, err))
        return false;
    bool is_ok = (!inv->changes.n || transaction_send(&inv->changes, &client, err)) && reads_run(inv, &client, err);
    *exit_status = client.exit_status;
    client_done(&client);
    return is_ok;
}

bool
invocation_run(const struct options *o, int *exit_status, struct error *err)
{
    struct invocation inv;
    invocation_init(&inv, o);
    *exit_status = 0;
    bool is_ok = o->batch ? batch_take(&inv, err) : words_take(&inv, o->words, o->n_words, 0, err);
    is_ok = is_ok && (inv.n_local ? locals_run(&inv, err) : remote_run(&inv, exit_status, err));
    invocation_done(&inv);
    return is_ok;
}
