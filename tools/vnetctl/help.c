/* Text for people and for completion. */
#include "tools/vnetctl/help.h"

#include <stdio.h>
#include <string.h>

#include "tools/vnetctl/command.h"
#include "tools/vnetctl/options.h"

/* Beside each other if the left one is short, else below. */
static void
pair_print(const char *left, const char *right)
{
    if (strlen(left) > 32)
        printf("  %s\n%36s%s\n", left, "", right);
    else
        printf("  %-32s  %s\n", left, right);
}

void
help_print(void)
{
    struct arena *arena = arena_new();
    const struct command_group *group;
    const char *help, *usage;
    printf("usage: vnetctl [OPTION]... [COMMAND-OPTION]... COMMAND [ARG]... [COLUMN=VALUE]... [-- COMMAND ...]...\n"
           "All changes of one invocation are one transaction: all take effect, or none.\n");
    for (size_t i = 0; (group = command_group(i)); i++) {
        printf("\n%s:\n", group->title);
        for (const struct command *c = group->commands; c->name; c++)
            pair_print(command_usage(c, arena), c->help);
    }
    printf("\nOptions:\n");
    for (size_t i = 0; (usage = options_usage(i, &help)); i++)
        pair_print(usage, help);
    printf("\nExit status: 0 done; 1 error (or differences, of verify); 65 committed, but not confirmed in time.\n");
    arena_free(arena);
}

void
help_print_commands(void)
{
    struct arena *arena = arena_new();
    const struct command_group *group;
    for (size_t i = 0; (group = command_group(i)); i++)
        for (const struct command *c = group->commands; c->name; c++)
            printf("%s\n", command_usage(c, arena));
    arena_free(arena);
}

void
help_print_options(void)
{
    const char *help, *usage;
    for (size_t i = 0; (usage = options_usage(i, &help)); i++)
        printf("%s\n", usage);
    for (size_t i = 0; command_option_name(i); i++)
        printf("--%s\n", command_option_name(i));
}
