/** What `user_agent.synthetic.type` is for a user agent, if it names itself a test or a bot. */
export function syntheticType(userAgent: string): 'test' | 'bot' | undefined {
  const agent = userAgent.toLowerCase();
  if (agent.includes('alwayson')) return 'test';
  return agent.includes('googlebot') || agent.includes('bingbot') ? 'bot' : undefined;
}
