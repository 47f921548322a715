/** The number of the first descriptor that an instance gets: sd_listen_fds(3), SD_LISTEN_FDS_START. */
export const FIRST_DESCRIPTOR = 3;
