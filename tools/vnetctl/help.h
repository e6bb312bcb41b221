/* --help, --commands, --options: all from the tables. */
#ifndef VNETCTL_HELP_H
#define VNETCTL_HELP_H 1

void help_print(void);
void help_print_commands(void); /* for completion: one usage a line */
void help_print_options(void);

#endif
