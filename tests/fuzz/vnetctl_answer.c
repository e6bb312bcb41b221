/* Answers of a daemon that is none: vnetctl asks, and is answered with the input, whatever the question. The first byte chooses the command, the
 * second the format. */
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>
#include <unistd.h>

#include "tests/fuzz/answering.h"
#include "tools/vnetctl/invocation.h"

#define WORDS_MAX 8

static void
command_run(const struct answering *d, uint8_t command, uint8_t format)
{
    static const char *const commands[][WORDS_MAX] = {
        { "port-list" },
        { "list", "port", "p" },
        { "show" },
        { "verify" },
        { "trace", "p", "icmp", "10.0.0.1" },
        { "host-list" },
        { "vpc-add", "v", "10.0.0.0/16" },
        { "--dry-run", "vpc-add", "v", "10.0.0.0/16" },
        { "--wait=hosts", "vpc-del", "v" },
        { "sync" },
        { "--all-tenants", "subnet-list" },
        { "--columns=a,b", "find", "port" },
        { "list", "vpc" },
        { "--no-headings", "list", "vpc" },
        { "--server=unix:/nonexistent", "sync" },
        { "--server=ftp://x", "sync" },
        { "--server=http://user@host/x", "sync" },
        { "--server=http://127.0.0.1:1/", "sync" },
        { "--server=https://127.0.0.1:1", "sync" },
        { "instance-list" },
        { "instance-show", "vm" },
        { "orphan-list" },
        { "orphan-del", "all" },
        { "--dry-run", "orphan-del", "a" },
        { "host-token", "h", "ttl=60" },
        { "port-list", "s" },
        { "--all-tenants", "port-list", "s" },
        { "find", "port", "ip=10.0.0.1", "tags:k=v" },
        { "--unused", "sg-rule-list", "g" },
        { "--shadowed", "sg-rule-list", "g" },
    };
    static const char *const formats[] = { "--format=table", "--format=list", "--format=csv", "--format=json" };
    char *server = mem_printf("--server=unix:%s", d->path), *argv[WORDS_MAX + 4] = { (char[]){ "vnetctl" }, server };
    int argc = 2, status;
    struct options o;
    struct error err;
    argv[argc++] = (char *) formats[format % 4];
    for (const char *const *word = commands[command % (sizeof commands / sizeof *commands)]; *word; word++)
        argv[argc++] = (char *) *word;
    if (!options_parse(&o, argc, argv, &err) || !invocation_run(&o, &status, &err))
        FUZZ_CLAIM(*err.text);
    free(server);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    unsetenv("VNET_TENANT");
    stdout = fopen("/dev/null", "w");
    stderr = fopen("/dev/null", "w");
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t command = fuzz_take_byte(&data, &n), format = fuzz_take_byte(&data, &n);
    struct answering d;
    answering_start(&d, ANSWERING_UNIX, data, n);
    command_run(&d, command, format);
    answering_stop(&d);
    return 0;
}
