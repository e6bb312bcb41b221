/* A token as an operator pastes it (the first line; empty: one that is right), and what a server answers to it (the rest). */
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>

#include "agent/join_fetch.h"
#include "tests/fuzz/answering.h"

#define TOKEN "v1.1.2.00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct answering server;
    struct error err = { .text = "" };
    struct join_answer answer = { .certificate = NULL };
    char *token = fuzz_text(data, n), *rest = token, *url;
    fuzz_line(&rest);
    size_t used = rest ? (size_t) (rest - token) : n;
    answering_start(&server, ANSWERING_TCP, data + used, n - used);
    url = mem_printf("http://127.0.0.1:%u/", server.port);
    if (join_fetch(url, &(struct join_question){ *token ? token : TOKEN, "hv1", "request" }, &answer, &err))
        FUZZ_CLAIM(answer.certificate && answer.ca && answer.manager && answer.local_ip);
    else
        FUZZ_CLAIM(*err.text);
    join_answer_done(&answer);
    answering_stop(&server);
    free(url);
    free(token);
    return 0;
}
