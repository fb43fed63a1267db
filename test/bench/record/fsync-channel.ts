/** The BroadcastChannel on which threads tell of fsyncs. */
export const fsyncChannel = 'porchlight-fsync'
