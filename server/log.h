/* The log: lines on standard error with time, level and message. No secrets, no user data beyond
 * names. Any thread; each line is one write. */
#ifndef OCK_SERVER_LOG_H
#define OCK_SERVER_LOG_H

enum ock_log_level { OCK_LOG_DEBUG, OCK_LOG_INFO, OCK_LOG_WARNING, OCK_LOG_ERROR };

/* Lines below the level are dropped; INFO at the start. */
void ock_log_set_level(enum ock_log_level level);
void ock_log(enum ock_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
