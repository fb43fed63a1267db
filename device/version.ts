/** Version of the agent, as presence tells it. */
export const agentVersion = '0.1.0'
