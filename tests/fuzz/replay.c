/* Feeds a fuzz target the files of the folders given, in order of their names: a fuzzer's main() where there is no fuzzer. What an
 * input did wrong is told by the sanitizers; this says which input it was. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#define INPUT_SECONDS 30

static char current[512];

void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));
int LLVMFuzzerInitialize(int *, char ***) __attribute__((weak));

static void
say_current(void)
{
    static const char before[] = "\nwhile replaying ";
    (void) (write(STDERR_FILENO, before, sizeof before - 1) + write(STDERR_FILENO, current, strlen(current))
            + write(STDERR_FILENO, "\n", 1));
}

static void
on_signal(int number)
{
    say_current();
    signal(number, SIG_DFL);
    raise(number);
}

static uint8_t *
file_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t cap = 0, got = 1;
    for (*n = 0; f && got; *n += got) {
        data = mem_grow(data, &cap, *n + 4096, 1);
        got = fread(data + *n, 1, 4096, f);
    }
    if (!f || ferror(f)) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return mem_realloc(data, *n ? *n : 1); /* no room behind it that a reader could stray into */
}

static void
file_replay(const char *path)
{
    size_t n;
    uint8_t *data = file_read(path, &n);
    snprintf(current, sizeof current, "%s", path);
    alarm(INPUT_SECONDS);
    LLVMFuzzerTestOneInput(data, n);
    alarm(0);
    free(data);
}

static size_t
folder_replay(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    size_t n_files = 0;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
            file_replay(path);
            free(path);
            n_files++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return n_files;
}

int
main(int argc, char **argv)
{
    size_t n_files = 0;
    signal(SIGABRT, on_signal);
    signal(SIGALRM, on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(say_current);
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        n_files += folder_replay(argv[i]);
    dprintf(STDOUT_FILENO, "%zu inputs replayed\n", n_files); /* a target may have taken stdout */
    return n_files ? 0 : 1;
}
